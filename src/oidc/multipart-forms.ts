/** Forms in parts (RFC 7578), as React Native's SDKs post to the token endpoint: read like those that are URL-encoded. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Has the endpoints of `routes` take such forms. Their fields are the body; a file is no field. */
export function readMultipartForms(routes: FastifyInstance): void {
  const options = { parseAs: 'buffer' } as const;
  routes.addContentTypeParser('multipart/form-data', options, async ({ headers }: FastifyRequest, body: Buffer<ArrayBuffer>) => {
    const fields: Record<string, string | string[]> = Object.create(null);
    for (const [name, text] of await partsOf(body, headers['content-type']!)) {
      if (typeof text !== 'string') continue;
      const before = fields[name];
      fields[name] = before === undefined ? text : [before, text].flat();
    }
    return fields;
  });
}

async function partsOf(body: Buffer<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData();
  } catch {
    throw Object.assign(new Error('The form cannot be read.'), { statusCode: 400 });
  }
}
