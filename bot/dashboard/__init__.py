"""The dashboard: pages made on the server, without anything from elsewhere."""
