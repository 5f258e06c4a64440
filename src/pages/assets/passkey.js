// Asks the browser for the passkey that the page wants, and posts what it says. Without this script the page has no button.
const field = document.querySelector('[data-passkey]');
const { form } = field;
const button = form.querySelector('button[type=button]');
const show = (name) => {
  const element = form.querySelector(`[data-passkey-${name}]`);
  if (element) element.hidden = false;
};
const kind = field.dataset.passkey;
const signal = () => {
  waiting?.abort();
  waiting = new AbortController();
  return waiting.signal;
};
let waiting;

const decode = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const encode = (buffer) =>
  buffer == null
    ? undefined
    : btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replaceAll('=', '');

function options() {
  const json = JSON.parse(field.dataset.options);
  const withId = (each) => ({ ...each, id: decode(each.id) });
  return {
    ...json,
    challenge: decode(json.challenge),
    ...(json.user && { user: { ...json.user, id: decode(json.user.id) } }),
    ...(json.excludeCredentials && { excludeCredentials: json.excludeCredentials.map(withId) }),
    ...(json.allowCredentials && { allowCredentials: json.allowCredentials.map(withId) }),
  };
}

function send(credential) {
  const { id, type, response } = credential;
  const answer = {
    id,
    rawId: id,
    type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      attestationObject: encode(response.attestationObject),
      transports: response.getTransports?.(),
      authenticatorData: encode(response.authenticatorData),
      signature: encode(response.signature),
      userHandle: encode(response.userHandle),
    },
  };
  field.value = JSON.stringify(answer);
  form.submit();
}

async function ask(more) {
  const request = { publicKey: options(), signal: signal(), ...more };
  return kind === 'create' ? navigator.credentials.create(request) : navigator.credentials.get(request);
}

// Offers passkeys among what the browser fills the address in with.
async function offer() {
  const address = document.querySelector('input[autocomplete~=email], input[autocomplete~=username]');
  if (!address || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  address.autocomplete += ' webauthn';
  const credential = await ask({ mediation: 'conditional' }).catch(() => undefined);
  if (credential) send(credential);
}

if (window.PublicKeyCredential) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    form.querySelector('[data-passkey-failed]').hidden = true;
    button.disabled = true;
    try {
      send(await ask());
    } catch {
      show('failed');
    } finally {
      button.disabled = false;
    }
  });
  if (kind === 'get') offer();
} else {
  show('missing');
}
