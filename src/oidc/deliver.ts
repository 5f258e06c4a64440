/** Sends the browser where an authorization ends. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sceneOf, sendPage } from '../http/server.ts';
import { formPostPage, successPage } from '../pages/answer.ts';
import type { Destination } from './answer.ts';

/** @param status of a redirect: 302 after a GET, 303 after a POST */
export async function deliver(
  request: FastifyRequest,
  reply: FastifyReply,
  destination: Destination,
  status: 302 | 303,
): Promise<FastifyReply> {
  const { location } = destination;
  if (destination.by === 'redirect') return reply.header('cache-control', 'no-store').redirect(location, status);
  const scene = await sceneOf(request);
  const policy = { nonce: scene.nonce, formAction: formTarget(location) };
  const page = destination.by === 'form' ? formPostPage(scene, location, destination.fields) : successPage(scene, location);
  return sendPage(reply, 200, page, policy);
}

/** What a policy's form-action calls the place that a form or the redirect after it leads to. */
export function formTarget(location: string): string {
  const { origin, protocol, hostname } = new URL(location);
  return origin === 'null' || hostname.startsWith('[') ? protocol : origin;
}
