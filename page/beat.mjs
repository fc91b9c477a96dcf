// Moves the pictures, all at once, six times a second. A browser that animates by itself makes sixty frames a second, although
// between two steps of a pixel picture nothing changes: what goes on for ever is paused in the styles and put forward here.
const BEAT_MS = 160;

export function startBeat() {
	let last = performance.now();
	setInterval(() => {
		const now = performance.now();
		const by = Math.min(now - last, 2 * BEAT_MS); // a page that slept goes on where it was
		last = now;
		if (document.hidden) return;
		// All are asked before one is moved: what is asked in between lays the styles out anew.
		const paused = document.getAnimations().filter((each) => each.playState === 'paused');
		const times = paused.map((each) => each.currentTime + by);
		paused.forEach((each, i) => (each.currentTime = times[i]));
	}, BEAT_MS);
}
