import { h } from './dom.mjs'; document.getElementById('app').append(h('p','sluice'));
