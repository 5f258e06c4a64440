/** The part of PostGraphile that the peer uses; its own types would draw in those of some two hundred packages. */
declare module 'postgraphile' {
  import type { Server } from 'node:http';

  export function postgraphile(preset: object): { createServ(grafserv: unknown): { addTo(server: Server): Promise<void> } };
}

declare module 'postgraphile/adaptors/pg' {
  export function makePgService(options: { pool: import('pg').Pool; schemas: string[] }): object;
}

declare module 'postgraphile/grafserv/node' {
  export const grafserv: unknown;
}

declare module 'postgraphile/presets/amber' {
  export const PostGraphileAmberPreset: object;
}
