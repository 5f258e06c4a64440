/**
 * For whom a URL is one of those that an application has registered. One that has a place for an organization's handle
 * stands for the URL of each organization of the environment that has a handle, and is that organization's alone.
 */
import type { Infrastructure } from '../context.ts';
import { organizationIdOfHandle } from '../organizations/service.ts';
import { handleIn, isRegistered, isRegisteredOrigin, originHandleIn } from './callback-urls.ts';

/** @returns null for everybody, the organization's id where it is one's own, undefined for a URL that is not registered */
export async function registeredFor(
  infrastructure: Infrastructure,
  environmentId: string,
  registered: readonly string[],
  url: string,
): Promise<string | null | undefined> {
  if (isRegistered(registered, url)) return null;
  const handle = handleIn(registered, url);
  return handle === undefined ? undefined : organizationIdOfHandle(infrastructure, environmentId, handle);
}

/** As {@link registeredFor}, for the origin of a page. */
export async function originRegisteredFor(
  infrastructure: Infrastructure,
  environmentId: string,
  registered: readonly string[],
  origin: string,
): Promise<string | null | undefined> {
  if (isRegisteredOrigin(registered, origin)) return null;
  const handle = originHandleIn(registered, origin);
  return handle === undefined ? undefined : organizationIdOfHandle(infrastructure, environmentId, handle);
}
