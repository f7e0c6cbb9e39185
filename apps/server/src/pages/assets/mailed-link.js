// Opening the link changes nothing. The token is read here, taken out of the address bar at once, and sent only when
// the person asks for it.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

const form = document.querySelector('form');
const button = form.querySelector('button');
const actions = {
  'verify-email': () => call('/auth/verify-email', { token }),
  'accept-invitation': acceptInvitation,
};

if (token) form.hidden = false;
else show('incomplete');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  hide('problem');
  button.disabled = true;
  try {
    await actions[form.dataset.action]();
    form.remove();
    show('done');
  } catch (error) {
    show('problem', error.message);
  } finally {
    button.disabled = false;
  }
});

/** Accepting needs a signed-in person. The session lives for this one call and is closed after it. */
async function acceptInvitation() {
  const { email, password } = form.elements;
  const { accessToken } = await call('/auth/login', { email: email.value, password: password.value });
  try {
    await call('/invitations/accept', { token }, accessToken);
  } finally {
    await call('/auth/logout', undefined, accessToken).catch(() => undefined);
  }
}

async function call(path, body, accessToken) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method: 'POST',
      credentials: 'omit',
      headers: {
        Accept: 'application/json',
        ...(body && { 'Content-Type': 'application/json' }),
        ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error('The server cannot be reached. Try again in a moment.');
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const reasons = (answer.errors ?? []).map((error) => error.message);
  throw new Error([answer.detail ?? answer.title ?? `The server answered ${response.status}.`, ...reasons].join(' '));
}

function show(name, text) {
  const note = document.querySelector(`[data-show=${name}]`);
  if (text !== undefined) note.textContent = text;
  note.hidden = false;
}

function hide(name) {
  document.querySelector(`[data-show=${name}]`).hidden = true;
}
