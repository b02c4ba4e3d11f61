document.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-path]');
  if (!button) return;
  if (button.dataset.ask && !confirm(button.dataset.ask)) return;
  button.disabled = true;
  const answer = await fetch(button.dataset.path, {method: button.dataset.method || 'POST'});
  if (!answer.ok) alert((await answer.json()).message);
  if (button.dataset.reload) location.reload(); else refresh();
});
async function refresh() {
  if (document.querySelector('details[open]')) return;
  try {
    const answer = await fetch('/');
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (fresh.querySelector('form.login')) { location.reload(); return; }
    document.querySelector('main').replaceWith(fresh.querySelector('main'));
  } catch { document.querySelector('#seen').textContent = 'not reached just now; trying again'; }
}
setInterval(refresh, 3000);
