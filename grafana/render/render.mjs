// Renders the dashboard from a live Prometheus:
//   PROMETHEUS=http://127.0.0.1:9090 START=<unix seconds> END=<unix seconds> node render.mjs FOLDER
// writes FOLDER/dashboard.png, the rows that are open, and FOLDER/dashboard-2.png, the folded ones, opened.
// Needs chromium and pngquant; node_modules as package-lock.json says.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { answersOf, unfolded } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const WIDTH = 1500, CELL = 38;  // as page.jsx: a cell of 30 and a gap of 8

async function bundle(folder) {
    await build({
        entryPoints: [join(here, 'page.jsx')], outfile: join(folder, 'page.js'), bundle: true,
        minify: true, format: 'iife', logLevel: 'error', jsx: 'automatic',
        define: { global: 'window', 'process.env.NODE_ENV': '"production"' },
        loader: { '.ttf': 'dataurl', '.svg': 'dataurl', '.woff2': 'dataurl' },
        // The ESM build of its Table takes the default export of a CommonJS package for the package.
        alias: { '@grafana/ui': join(here, 'node_modules/@grafana/ui/dist/cjs/index.cjs') },
    });
}

function page(dashboard, answers) {
    const data = JSON.stringify({ dashboard, answers }).replaceAll('<', '\\u003c');
    return `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css">
<body style="margin:0"><div id="root"></div><script>window.RENDER = ${data};</script>
<script src="page.js"></script>`;
}

// The pictures, each from the row whose title begins so.
const PARTS = [['dashboard.png', 'Health'], ['dashboard-2.png', 'Leases']];

function partOf(dashboard, at) {
    const topOf = ([, title]) => dashboard.panels.find(
        (panel) => panel.type === 'row' && panel.title.startsWith(title)).gridPos.y;
    const top = topOf(PARTS[at]), end = at + 1 < PARTS.length ? topOf(PARTS[at + 1]) : Infinity;
    const panels = dashboard.panels
        .filter(({ gridPos: { y } }) => y >= top && y < end)
        .map((panel) => ({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y - top } }));
    return { ...dashboard, panels };
}

function shoot(folder, dashboard, answers, output) {
    const html = join(folder, 'index.html'), raw = join(folder, 'raw.png');
    writeFileSync(html, page(dashboard, answers));
    const cells = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
    execFileSync('chromium', [
        '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
        '--virtual-time-budget=20000', `--window-size=${WIDTH},${cells * CELL + 8}`,
        `--user-data-dir=${join(folder, 'profile')}`, `--screenshot=${raw}`, `file://${html}`,
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('pngquant', ['--force', '--speed=1', '--output', output, '64', raw]);
}

async function main() {
    const { PROMETHEUS, START, END, SCRAPE_SECONDS = '1' } = process.env;
    const target = process.argv[2];
    if (!(PROMETHEUS && START && END && target)) throw new Error('see the first lines of render.mjs');
    const dashboard = unfolded(
        JSON.parse(readFileSync(join(here, '../dashboards/fencegate.json'), 'utf8')));
    const answers = await answersOf(dashboard, PROMETHEUS, {
        start: Number(START), end: Number(END), scrapeSeconds: Number(SCRAPE_SECONDS) });

    const folder = mkdtempSync(join(tmpdir(), 'fencegate-render-'));
    try {
        await bundle(folder);
        PARTS.forEach(([name], at) => shoot(folder, partOf(dashboard, at), answers,
                                            resolve(target, name)));
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

await main();
