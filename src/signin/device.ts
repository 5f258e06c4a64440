/** Where a person connects a device (RFC 8628 §3.3): its code leads into an ordinary sign-in, which ends with a decision. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findClient } from '../features/applications/service.ts';
import { type Context, createContext, type Infrastructure } from '../features/context.ts';
import { findWaitingDevice, normalizedUserCode } from '../features/device-authorizations/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { countAgainstAddress } from '../features/quotas/service.ts';
import { browserToken, knownBrowserToken, sessionToken } from '../http/cookies.ts';
import { csrfToken } from '../http/csrf.ts';
import { originOf, sceneOf, sendPage } from '../http/server.ts';
import type { TextKey } from '../languages/texts.ts';
import { deliver } from '../oidc/deliver.ts';
import { userCodePage } from '../pages/device.ts';
import { messagePage } from '../pages/messages.ts';
import { sameText } from '../security/secrets.ts';
import { destinationOf, type Outcome } from './flow.ts';
import { beginOwn, ownRequest } from './own-request.ts';
import { foreignBrowser } from './place.ts';
import { singleFields } from './routes.ts';

/** Codes that may be tried from one network address in a minute. */
export const MAX_CODES_PER_MINUTE = 20;

export function deviceRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  const csrfOf = (browser: string) => csrfToken(infrastructure, browser, 'device');
  return (routes) => {
    const show = async (request: FastifyRequest, reply: FastifyReply, userCode: string, status = 200, problem?: TextKey) => {
      const csrf = csrfOf(browserToken(request, reply));
      return sendPage(reply, status, userCodePage(await sceneOf(request), { csrf, userCode, problem }));
    };

    routes.get<{ Querystring: { user_code?: unknown } }>('/device', async (request, reply) => {
      const given = request.query.user_code;
      return show(request, reply, typeof given === 'string' ? normalizedUserCode(given).slice(0, 8) : '');
    });

    routes.post('/device', async (request, reply) => {
      const { tenancy } = request;
      const form = singleFields(request.body);
      const browser = knownBrowserToken(request);
      if (!browser || !sameText(form['csrf'] ?? '', csrfOf(browser))) throw foreignBrowser();
      const { environmentId } = tenancy;
      const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, originOf(request));
      const userCode = normalizedUserCode(form['p_user_code'] ?? '');
      const wait = await countAgainstAddress(ctx, environmentId, 'device code', MAX_CODES_PER_MINUTE);
      if (wait !== undefined) {
        reply.header('retry-after', wait);
        return show(request, reply, '', 429, 'problem.device_codes');
      }
      const outcome = await connectDevice(ctx, tenancy, userCode, { session: sessionToken(request), browser });
      if (!outcome) return show(request, reply, userCode.slice(0, 8), 422, 'problem.device_code');
      return deliver(request, reply, destinationOf(outcome), 303);
    });

    for (const outcome of ['connected', 'refused'] as const) {
      routes.get(`/device/${outcome}`, async (request, reply) => {
        const scene = await sceneOf(request);
        const said = { title: scene.say(`device.${outcome}`), message: scene.say(`device.${outcome}_lead`) };
        return sendPage(reply, 200, messagePage(scene, said));
      });
    }
  };
}

/** Starts the sign-in in which a device's code is decided; undefined for a code that does not wait for that. */
async function connectDevice(
  ctx: Context,
  tenancy: Tenancy,
  userCode: string,
  cookies: { session: string | undefined; browser: string },
): Promise<Outcome | undefined> {
  const { environmentId, issuer } = tenancy;
  const device = await findWaitingDevice(ctx, environmentId, userCode);
  const client = device && (await findClient(ctx, environmentId, device.applicationId.slice('app_'.length)));
  if (!device || !client) return undefined;
  const { scopes, audiences } = device;
  const request = ownRequest(ctx, { clientId: client.clientId, redirectUri: `${issuer}/device`, userCode, scopes, audiences });
  return beginOwn(ctx, { tenancy, client }, request, cookies);
}
