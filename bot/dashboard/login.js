document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = document.querySelector('#token').value;
  const answer = await fetch('/api/v1/auth/login', {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({token})});
  if (answer.ok) location.reload();
  else document.querySelector('#fault').textContent = (await answer.json()).message;
});
