// Opening the link changes nothing. The token is read here, removed from the address bar at once, and sent only when
// the user presses the button.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

const actions = {
  'verify-email': () => call('/auth/verify-email', { token }),
  'accept-invitation': acceptInvitation,
  unlock: () => call('/auth/unlock', { token }),
  'password-reset/confirm': ({ password }) => call('/auth/password-reset/confirm', { token, password: password.value }),
  'password-reset/request': ({ email }) => call('/auth/password-reset/request', { email: email.value }),
  'email-change/confirm': () => call('/auth/email-change/confirm', { token }),
  'email-change/undo': () => call('/auth/email-change/undo', { token }),
  '2fa/reset/object': () => call('/auth/2fa/reset/object', { token }),
  'download-export': downloadExport,
  'resend-verification': ({ email }) => call('/auth/resend-verification', { email: email.value }),
  register: ({ email, password }) => call('/auth/register', { email: email.value, password: password.value }),
};

/** The purpose of the mailed token: a page that was opened without one has no such form. */
const main = document.querySelector('form[data-main]');
for (const form of document.forms) form.addEventListener('submit', submit);
if (main) main.hidden = false;

async function submit(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector('button');
  hide('problem');
  button.disabled = true;
  try {
    await actions[form.dataset.action](form.elements);
    show(`${form.dataset.action}-done`);
    for (const next of document.querySelectorAll(`[data-after="${form.dataset.action}"]`)) next.hidden = false;
    if (form === main) for (const help of document.querySelectorAll('[data-help]')) help.remove();
    (form.closest('details') ?? form).remove();
  } catch (error) {
    show('problem', error.message);
    // A link that was used or has expired does not work the second time either.
    if (form === main && error.code === 'invalid_token') form.hidden = true;
    offerRemedy(error.code, form.elements.email?.value);
  } finally {
    button.disabled = false;
  }
}

/** Shows the next step after this failure, where the page has one. */
function offerRemedy(code, email) {
  for (const help of document.querySelectorAll('[data-help]')) {
    if (!help.dataset.help.split(' ').includes(code)) continue;
    help.hidden = false;
    if (email && help.elements?.email) help.elements.email.value = email;
  }
}

/** Some calls need a signed-in user. The session serves this one call and is closed after it. */
async function signedIn({ email, password }, use) {
  const { accessToken } = await call('/auth/login', { email: email.value, password: password.value });
  if (!accessToken)
    throw new Error('Your account has a second factor, which this page cannot ask for: sign in elsewhere.');
  try {
    await use(accessToken);
  } finally {
    await call('/auth/logout', undefined, accessToken).catch(() => undefined);
  }
}

function acceptInvitation(fields) {
  return signedIn(fields, (accessToken) => call('/invitations/accept', { token }, accessToken));
}

/** The mailed token is the id of the file: it opens nothing by itself. */
function downloadExport(fields) {
  return signedIn(fields, async (accessToken) => {
    const response = await send('GET', `/users/me/exports/${encodeURIComponent(token)}`, { accessToken });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await response.blob());
    link.download = 'export.zip';
    link.click();
  });
}

async function call(path, body, accessToken) {
  const response = await send('POST', path, { body, accessToken });
  return response.json().catch(() => ({}));
}

async function send(method, path, { body, accessToken }) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'omit',
      headers: {
        Accept: 'application/json, */*;q=0.1',
        ...(body && { 'Content-Type': 'application/json' }),
        ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error('The server cannot be reached. Try again in a moment.');
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  // The page shows the fields; the sentence above them is written for programs.
  const fields = (answer.errors ?? []).map(({ path, message }) => `${path || 'The request'} ${message}.`).join(' ');
  const sentence = fields || answer.detail || answer.title || `The server answered ${response.status}.`;
  throw Object.assign(new Error(sentence), { code: answer.code });
}

function show(name, text) {
  const note = document.querySelector(`[data-show="${name}"]`);
  if (text !== undefined) note.textContent = text;
  note.hidden = false;
}

function hide(name) {
  document.querySelector(`[data-show="${name}"]`).hidden = true;
}
