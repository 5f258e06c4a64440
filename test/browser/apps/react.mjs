/** An application as a newcomer writes it with Kinde's SDK for React: only its settings name the issuer. */
import { KindeProvider, useKindeAuth } from '@kinde-oss/kinde-auth-react';
import { createElement as h, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const { domain, clientId } = window.settings;

function Visitor() {
  const auth = useKindeAuth();
  const [organization, setOrganization] = useState('');
  const [token, setToken] = useState('');
  const [note, setNote] = useState('');
  const { getOrganization, getAccessToken } = auth;
  useEffect(() => {
    const read = setInterval(async () => {
      setOrganization((await getOrganization()) ?? '');
      setToken((await getAccessToken()) ?? '');
    }, 200);
    return () => clearInterval(read);
  }, [getOrganization, getAccessToken]);
  const button = (name, act) => h('button', { type: 'button', id: name, onClick: act }, name);
  const target = () => document.getElementById('target').value;
  if (auth.isLoading) return h('p', null, 'loading');
  return h(
    'main',
    null,
    h('p', { id: 'user' }, auth.isAuthenticated ? auth.user.email : 'nobody'),
    h('p', { id: 'organization' }, organization),
    h('p', { id: 'token' }, token),
    h('p', { id: 'note' }, note),
    h('input', { id: 'target' }),
    button('login', () => auth.login()),
    button('register', () => auth.register()),
    button('switch', () => auth.switchOrg(target())),
    button('refresh', async () => {
      const { success, error } = await auth.refreshToken({ domain, clientId });
      setNote(success ? 'refreshed' : `failed: ${error}`);
    }),
    button('logout', () => auth.logout()),
  );
}

createRoot(document.getElementById('root')).render(
  h(
    KindeProvider,
    { domain, clientId, redirectUri: location.origin, logoutUri: location.origin, scope: 'openid profile email offline' },
    h(Visitor),
  ),
);
