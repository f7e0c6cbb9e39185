// Shows what the server finds while one types. Enter opens the page of results, as it does without scripts.
const WAIT_MS = 150;
const form = document.querySelector('[role=search]');
const input = form.querySelector('input');
const found = document.createElement('div');
found.className = 'site-found';
found.hidden = true;
found.setAttribute('aria-live', 'polite');
form.append(found);

let timer;
let latest = 0;

input.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(search, WAIT_MS);
});

form.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') close();
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const stops = [input, ...found.querySelectorAll('a')];
  const next = stops[stops.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1)];
  if (found.hidden || !next) return;
  event.preventDefault();
  next.focus();
});

form.addEventListener('focusout', (event) => {
  if (!form.contains(event.relatedTarget)) found.hidden = true;
});

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select, [contenteditable]');
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  input.focus();
});

async function search() {
  const query = input.value.trim();
  const mine = ++latest;
  if (query === '') return close();
  const response = await fetch(`/docs/search.json?q=${encodeURIComponent(query)}`).catch(() => null);
  if (!response?.ok) return;
  const { items } = await response.json();
  // A late answer must not take away the link that is about to be followed.
  if (mine !== latest || found.contains(document.activeElement)) return;
  found.replaceChildren(...(items.length > 0 ? items.slice(0, 8).map(link) : [nothing()]));
  found.hidden = false;
}

function link({ url, title, kind }) {
  const anchor = document.createElement('a');
  const note = document.createElement('small');
  anchor.href = url;
  note.textContent = kind;
  anchor.append(title, note);
  return anchor;
}

function nothing() {
  const sentence = document.createElement('p');
  sentence.textContent = 'Nothing found.';
  return sentence;
}

function close() {
  latest += 1;
  found.hidden = true;
  input.focus();
}
