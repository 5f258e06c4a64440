import { expect, test, vi } from 'vitest';
import { startApp } from '../helpers/app.ts';

const gatehouse = startApp();

const get = (path: string, host = new URL(gatehouse.baseUrl).host) =>
  gatehouse.app.server.inject({ url: path, headers: { host }, remoteAddress: '10.0.0.9' });

test('the process says that it lives and that it can serve, at whatever name a load balancer calls it', async () => {
  for (const host of [undefined, '10.0.0.5:3000', 'gatehouse.internal']) {
    expect((await get('/healthz', host)).json()).toEqual({ status: 'ok' });
    expect((await get('/readyz', host)).json()).toEqual({ status: 'ready' });
  }
});

test('without its database it lives but cannot serve, and does not tell strangers why', async () => {
  const { database } = gatehouse.app.infrastructure;
  const broken = () => Promise.reject(new Error('connect ECONNREFUSED 10.9.8.7:5432 as gatehouse_owner'));
  const spies = [vi.spyOn(database, 'query').mockImplementation(broken), vi.spyOn(database, 'script').mockImplementation(broken)];
  try {
    expect((await get('/healthz')).statusCode).toBe(200);
    const answer = await get('/readyz');
    expect([answer.statusCode, answer.json().status]).toEqual([503, 'not ready']);
    expect(answer.body).not.toMatch(/10\.9\.8\.7|gatehouse_owner|ECONNREFUSED/);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect((await get('/readyz')).statusCode).toBe(200);
});
