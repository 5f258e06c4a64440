/** Where an operator looks at a page before it is saved. It does nothing: no script runs, no form is sent, nothing is asked of the person. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createContext, type Infrastructure } from '../features/context.ts';
import { paperOf } from '../features/letters/service.ts';
import { findPagePreview, type PagePreview } from '../features/page-previews/service.ts';
import { sendPage } from '../http/server.ts';
import { speaker } from '../languages/texts.ts';
import { drawMail, drawPage, isMail } from './preview-pages.ts';

/** A mail brings its styles along, as mail programs have it. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox";

export function previewRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  const find = async ({ tenancy }: FastifyRequest, reply: FastifyReply, token: unknown): Promise<PagePreview | undefined> => {
    reply.header('x-robots-tag', 'noindex');
    return typeof token === 'string' ? findPagePreview(infrastructure, tenancy.environmentId, token) : undefined;
  };
  return (routes) => {
    routes.get<{ Params: { token: string } }>('/preview/:token', async (request, reply) => {
      const { token } = request.params;
      const preview = await find(request, reply, token);
      if (!preview) return reply.callNotFound();
      const { tenancy } = request;
      const { page, language, texts, brand, mail } = preview;
      if (isMail(page)) {
        const html = drawMail(page, paperOf(tenancy.issuer, mail, language, texts));
        return reply
          .type('text/html; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('content-security-policy', MAIL_POLICY)
          .send(html);
      }
      const scene = {
        ...{ basePath: tenancy.basePath, language, say: speaker(language, texts), brand, previewToken: token },
        ...{ nonce: '', homepageUri: null },
      };
      const ctx = createContext(infrastructure, { kind: 'anonymous' });
      return sendPage(reply, 200, await drawPage(ctx, tenancy, page, scene), { formAction: "'none'" });
    });

    routes.get<{ Querystring: { token?: unknown } }>('/preview.css', async (request, reply) => {
      const stylesheet = (await find(request, reply, request.query.token))?.brand.stylesheet;
      if (!stylesheet) return reply.callNotFound();
      return reply.header('cache-control', 'no-store').type('text/css; charset=utf-8').send(stylesheet.css);
    });
  };
}
