/** `/` outside production, where a newcomer looks first: what there is to look at. */
import type { FastifyInstance } from 'fastify';
import type { Infrastructure } from '../features/context.ts';
import { html, page } from '../pages/layout.ts';
import { hasMailbox } from '../phone/sender.ts';
import { sceneOf, sendPage } from './server.ts';

export function startPageRoutes(routes: FastifyInstance, { config }: Infrastructure): void {
  routes.get('/', async (request, reply) => {
    const places = [
      ['/graphql', 'GraphiQL', 'ask the management graph, and read its schema'],
      ...(hasMailbox(config) ? [['/dev/mailbox', 'Mailbox', 'the codes that would have been mailed']] : []),
      ['/.well-known/openid-configuration', 'Discovery', 'the endpoints of this issuer'],
    ];
    const body = html`<h1>Gatehouse is running</h1>
<p class="lead"><code>npm run example</code> starts an application to sign up and sign in to.</p>
<ul>${places.map(([path, name, what]) => html`<li><a href="${path}">${name}</a>: ${what}</li>`)}</ul>`;
    return sendPage(reply, 200, page(await sceneOf(request), { title: 'Gatehouse', body }));
  });
}
