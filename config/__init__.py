"""The ground floor: settings, projects, triggers, logging."""
