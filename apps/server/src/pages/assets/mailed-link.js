// Opening the link changes nothing. The token is read here, taken out of the address bar at once, and sent only when
// the person asks for it.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

const form = document.querySelector('form');
const button = form.querySelector('button');
const actions = {
  'verify-email': () => call('/auth/verify-email', { token }),
  'reset-password': () => call('/auth/password-reset/confirm', { token, password: form.elements.password.value }),
  'accept-invitation': acceptInvitation,
};

if (token) form.hidden = false;
else show('incomplete');

form.elements.reveal?.addEventListener('change', (event) => {
  form.elements.password.type = event.target.checked ? 'text' : 'password';
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  hide('problem');
  button.disabled = true;
  try {
    const finished = await actions[form.dataset.action]();
    if (finished === false) return;
    form.remove();
    show('done');
  } catch (error) {
    show('problem', error.message);
  } finally {
    button.disabled = false;
  }
});

// Whoever corrects the address or the password starts over: the challenge belongs to what was typed before.
let challengeToken;
for (const name of ['email', 'password']) {
  form.elements[name]?.addEventListener('input', () => {
    challengeToken = undefined;
    const code = form.elements.code;
    if (code) code.required = false;
  });
}

/** Accepting needs a signed-in person. The session lives for this one call and is closed after it. */
async function acceptInvitation() {
  const { email, password, code } = form.elements;
  const answer = challengeToken
    ? await call('/auth/2fa/login', { challengeToken, code: code.value.trim() })
    : await call('/auth/login', { email: email.value, password: password.value });
  if (answer.mfaRequired) {
    challengeToken = answer.challengeToken;
    form.querySelector('[data-step=code]').hidden = false;
    code.required = true;
    code.focus();
    return false;
  }
  // A second attempt signs in anew: the challenge is spent.
  challengeToken = undefined;
  try {
    await call('/invitations/accept', { token }, answer.accessToken);
  } finally {
    await call('/auth/logout', undefined, answer.accessToken).catch(() => undefined);
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
