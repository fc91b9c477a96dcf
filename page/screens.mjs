// The screens in the order of the navigation; null is a line between them. draw(ctx) gives the screen as it is now; ctx:
// arg (the rest of the address), local (kept while the screen is shown), redraw, go.
import * as assignment from './screen_assignment.mjs';
import * as backup from './screen_backup.mjs';
import * as consumers from './screen_consumers.mjs';
import * as domains from './screen_domains.mjs';
import * as home from './screen_home.mjs';
import * as logs from './screen_logs.mjs';
import * as monitor from './screen_monitor.mjs';
import * as playground from './screen_playground.mjs';
import * as providers from './screen_providers.mjs';
import * as routes from './screen_routes.mjs';
import * as settings from './screen_settings.mjs';
import { isAdmin } from './store.mjs';

// admin: only for the administrator.
const SCREENS = [
	{ name: 'home', title: 'HOME', icon: 'home', ...home },
	{ name: 'providers', title: 'PROVIDERS', icon: 'box', ...providers },
	{ name: 'assignment', title: 'ASSIGNMENT', icon: 'robot', ...assignment },
	{ name: 'monitor', title: 'MONITOR', icon: 'chart', ...monitor },
	null,
	{ name: 'routes', title: 'ROUTES', icon: 'branch', admin: true, ...routes },
	{ name: 'consumers', title: 'CONSUMERS', icon: 'key', admin: true, ...consumers },
	{ name: 'domains', title: 'DOMAINS', icon: 'globe', admin: true, ...domains },
	{ name: 'playground', title: 'PLAYGROUND', icon: 'chat', admin: true, ...playground },
	null,
	{ name: 'backup', title: 'BACKUP', icon: 'disk', admin: true, ...backup },
	{ name: 'logs', title: 'LOGS', icon: 'scroll', admin: true, ...logs },
	{ name: 'settings', title: 'SETTINGS', icon: 'gear', ...settings },
];
// Those of who is signed in.
export const screens = () => SCREENS.filter((x, i, all) => (x ? isAdmin() || !x.admin : isAdmin() || i === all.indexOf(null)));
export const screenOf = (name) => screens().find((x) => x?.name === name);
