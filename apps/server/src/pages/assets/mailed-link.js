// Opening the link changes nothing. The token moves from the address into the form, so that no history keeps it, and is
// sent when the user presses the button.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);
if (token) for (const field of document.querySelectorAll('input[name="token"]')) field.value = token;
