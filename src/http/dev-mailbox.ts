/** `/dev/mailbox`: the mails and texts that would have been sent, outside production and without SMTP only. */
import type { FastifyInstance } from 'fastify';
import type { Infrastructure } from '../features/context.ts';
import { listDevelopmentMail } from '../mail/mailbox.ts';
import { html, page } from '../pages/layout.ts';
import { sceneOf, sendPage } from './server.ts';

export function devMailboxRoutes(routes: FastifyInstance, { database }: Infrastructure): void {
  routes.get('/dev/mailbox.json', { config: { errors: 'json' } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return listDevelopmentMail(database);
  });
  routes.get('/dev/mailbox', async (request, reply) => {
    const mails = await listDevelopmentMail(database);
    const body = html`<h1>Mailbox</h1>
<p class="lead">Mail that would have been sent: set SMTP_URL to send it. Texts that would have been sent: give the environment a provider.</p>
${mails.length === 0 ? html`<p class="aside">Nothing yet.</p>` : ''}
${mails.map((mail) => html`<article class="mail"><h2>${mail.subject || `Text to ${mail.to}`}</h2><p class="reference">to ${mail.to}, ${mail.sentAt.toISOString()}</p><pre>${mail.text}</pre></article>`)}`;
    return sendPage(reply, 200, page(await sceneOf(request), { title: 'Mailbox', body }));
  });
}
