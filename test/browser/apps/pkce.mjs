/** An application without a framework, on Kinde's PKCE SDK. */
import createKindeClient from '@kinde-oss/kinde-auth-pkce-js';

const { domain, clientId } = window.settings;

const client = await createKindeClient({
  domain,
  client_id: clientId,
  redirect_uri: location.origin,
  logout_uri: location.origin,
  scope: 'openid profile email offline',
});

const show = (name, text) => {
  document.getElementById(name).textContent = text ?? '';
};

async function read() {
  const user = await client.getUserProfile();
  show('user', user?.email ?? 'nobody');
  show('organization', user ? client.getOrganization().orgCode : '');
  show('token', user ? await client.getToken() : '');
}

document.getElementById('root').innerHTML =
  `<p id="user"></p><p id="organization"></p><p id="token"></p><p id="note"></p><input id="target">
  ${['login', 'register', 'switch', 'refresh', 'logout'].map((name) => `<button type="button" id="${name}">${name}</button>`).join('')}`;
const actions = {
  login: () => client.login(),
  register: () => client.register(),
  switch: () => client.login({ orgCode: document.getElementById('target').value, prompt: 'none' }),
  logout: () => client.logout(),
  async refresh() {
    show('note', (await client.getToken({ isForceRefresh: true })) ? 'refreshed' : 'failed');
    await read();
  },
};
for (const [name, act] of Object.entries(actions)) document.getElementById(name).addEventListener('click', act);
await read();
