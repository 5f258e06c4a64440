/** The URLs that a sign-in or a sign-out may lead to. */
import type { PermissionName } from '../../../access/permissions.ts';
import type { Application } from '../../../db/generated/client/client.ts';
import { audit } from '../../audit/service.ts';
import { type Action, action, NEXT_VERSION } from '../../context.ts';
import { applicationScope, checkUrls, lockApplication } from '../service.ts';

/** `callbackUrls` end a sign-in, `logoutUrls` a sign-out. */
export type UrlList = 'callbackUrls' | 'logoutUrls';

export interface ChangeUrlsInput {
  readonly applicationId: string;
  readonly urls: readonly string[];
}

type ChangeUrls = Action<ChangeUrlsInput, Application>;

/** A change of one list: `next` says what becomes of it. */
function changing(permission: PermissionName, list: UrlList, next: (known: string[], urls: readonly string[]) => string[]): ChangeUrls {
  return action({
    permission,
    scope: applicationScope,
    async run(ctx, { applicationId, urls }: ChangeUrlsInput, scope) {
      const { environmentId, businessId } = scope;
      const known = (await lockApplication(ctx, scope, applicationId))[list];
      const application = await ctx.db.application.update({
        where: { environmentId_id: { environmentId, id: applicationId } },
        data: { [list]: next(known, urls), ...NEXT_VERSION },
      });
      await audit(ctx, {
        businessId,
        environmentId,
        action: list === 'callbackUrls' ? 'application.callback_urls_changed' : 'application.logout_urls_changed',
        target: { type: 'application', id: applicationId },
        details: {
          added: application[list].filter((url) => !known.includes(url)),
          removed: known.filter((url) => !application[list].includes(url)),
        },
      });
      return application;
    },
  });
}

const added = (known: string[], urls: readonly string[]) => {
  const checked = checkUrls(urls, 'urls');
  return checkUrls([...new Set([...known, ...checked])], 'urls');
};
const replaced = (_known: string[], urls: readonly string[]) => checkUrls(urls, 'urls');
/** One that is not there is gone already. */
const removed = (known: string[], urls: readonly string[]) => known.filter((url) => !urls.includes(url));

export const addCallbackUrls = changing('create:applications_redirect_uris', 'callbackUrls', added);
export const replaceCallbackUrls = changing('update:applications_redirect_uris', 'callbackUrls', replaced);
export const removeCallbackUrls = changing('delete:applications_redirect_uris', 'callbackUrls', removed);

export const addLogoutUrls = changing('create:application_logout_uris', 'logoutUrls', added);
export const replaceLogoutUrls = changing('update:application_logout_uris', 'logoutUrls', replaced);
export const removeLogoutUrls = changing('delete:application_logout_uris', 'logoutUrls', removed);
