/** The link of a team invitation: it starts a sign-up at `account` with the invited address, and ends on a page that says so. */
import type { FastifyInstance } from 'fastify';
import { createContext, type Infrastructure } from '../features/context.ts';
import { startAttempt, updateAttempt } from '../features/sign-in-attempts/service.ts';
import { findInvitation, invitationApplication } from '../features/team/service.ts';
import { browserToken } from '../http/cookies.ts';
import { originOf, sceneOf, sendPage } from '../http/server.ts';
import { invitationGone, PageError } from '../oidc/errors.ts';
import { messagePage } from '../pages/messages.ts';
import { ownRequest } from './own-request.ts';
import { pageOf } from './place.ts';

export function invitationRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  return (routes) => {
    routes.get<{ Params: { token: string } }>('/team-invitation/:token', async (request, reply) => {
      const { tenancy } = request;
      const ctx = createContext(
        infrastructure,
        { kind: 'user', environmentId: tenancy.environmentId, userId: undefined },
        originOf(request),
      );
      const invitation = tenancy.kind === 'account' ? await findInvitation(ctx, request.params.token) : null;
      if (!invitation) throw invitationGone();
      const application = await invitationApplication(ctx, tenancy.environmentId);
      const attempt = await startAttempt(ctx, {
        environmentId: tenancy.environmentId,
        applicationId: application.id,
        browserToken: browserToken(request, reply),
        flow: 'register',
        request: ownRequest(ctx, {
          clientId: application.id.slice('app_'.length),
          redirectUri: `${tenancy.issuer}/welcome`,
          scopes: ['openid'],
          loginHint: invitation.email,
        }),
      });
      await updateAttempt(ctx, attempt, { firstName: invitation.firstName, lastName: invitation.lastName });
      return reply.header('cache-control', 'no-store').redirect(pageOf(tenancy, attempt), 302);
    });

    routes.get('/welcome', async (request, reply) => {
      const { tenancy } = request;
      if (tenancy.kind !== 'account') throw new PageError(404, 'nothing_here');
      const scene = await sceneOf(request);
      return sendPage(reply, 200, messagePage(scene, { title: scene.say('welcome.title'), message: scene.say('welcome.lead') }));
    });
  };
}
