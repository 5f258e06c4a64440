/**
 * For whom a URL is one of those that an application has registered. One that has a place for an organization's handle
 * stands for the URL of each organization of the environment that has a handle, and is that organization's alone.
 */
import type { Infrastructure } from '../context.ts';
import { organizationIdOfHandle } from '../organizations/service.ts';
import { handleIn, isRegistered, isRegisteredOrigin, originHandleIn } from './callback-urls.ts';

type Whose = (
  infrastructure: Infrastructure,
  environmentId: string,
  registered: readonly string[],
  url: string,
) => Promise<string | null | undefined>;

function whoseBy(isForAll: typeof isRegistered, handleOf: typeof handleIn): Whose {
  return async (infrastructure, environmentId, registered, url) => {
    if (isForAll(registered, url)) return null;
    const handle = handleOf(registered, url);
    return handle === undefined ? undefined : organizationIdOfHandle(infrastructure, environmentId, handle);
  };
}

/** @returns null for everybody, the organization's id where it is one's own, undefined for a URL that is not registered */
export const registeredFor = whoseBy(isRegistered, handleIn);

/** As {@link registeredFor}, for the origin of a page. */
export const originRegisteredFor = whoseBy(isRegisteredOrigin, originHandleIn);
