// `g`, then one of these.
export const routes = { h: 'home', p: 'providers', a: 'assignment', m: 'monitor', r: 'routes', c: 'consumers', d: 'domains', b: 'backup', l: 'logs', s: 'settings', t: 'playground' };
export const keyOf = (name) => Object.keys(routes).find((key) => routes[key] === name);
