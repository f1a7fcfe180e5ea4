// What Grafana would ask Prometheus for: a dashboard's queries with their variables filled in.
// Owns: substitution, the time grid, names of series. Refuses to own: how it looks (page.jsx).

// With every row opened: the panels of a folded one behind it, and what follows moved down.
export function unfolded(dashboard) {
    let down = 0;
    const panels = [];
    const moved = (panel) => ({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + down } });
    for (const panel of dashboard.panels) {
        panels.push(moved(panel), ...(panel.panels ?? []).map(moved));
        const ends = (panel.panels ?? []).map(({ gridPos: { y, h } }) => y + h);
        down += Math.max(0, ...ends.map((end) => end - panel.gridPos.y - panel.gridPos.h));
    }
    return { ...dashboard, panels };
}

export async function answersOf(dashboard, prometheus, { start, end, scrapeSeconds }) {
    const step = Math.max(1, Math.round((end - start) / 240));
    const window = {
        prometheus, step, start: Math.floor(start / step) * step, end: Math.ceil(end / step) * step,
        variables: {
            job: '.+', instance: '.+', class: '.+', __range: `${Math.ceil(end - start)}s`,
            __rate_interval: `${Math.max(4 * scrapeSeconds, step + scrapeSeconds)}s`,
        },
    };
    const panels = {};
    for (const panel of dashboard.panels.filter(({ type }) => type !== 'row')) {
        panels[panel.id] = await Promise.all(
            panel.targets.map((target) => answerOf(target, window)));
    }
    const marks = await Promise.all(dashboard.annotations.list.map(
        async (annotation) => ({ color: annotation.iconColor,
                                 times: await timesOf(annotation, window) })));
    return { panels, marks, from: window.start * 1000, to: window.end * 1000 };
}

function filledIn(text, variables) {
    return text.replace(/\$(\w+)/g, (whole, name) => {
        if (!(name in variables)) throw new Error(`${whole} is no variable: ${text}`);
        return variables[name];
    });
}

async function ask(path, window, parameters) {
    const query = filledIn(parameters.query, window.variables);
    const reply = await fetch(`${window.prometheus}/api/v1/${path}`,
                              { method: 'POST', body: new URLSearchParams({ ...parameters, query }) });
    const answer = await reply.json();
    if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`);
    return answer.data.result;
}

function askRange(query, window) {
    const { start, end, step } = window;
    return ask('query_range', window, { query, start, end, step });
}

async function answerOf(target, window) {
    if (target.instant) {
        const rows = await ask('query', window, { query: target.expr, time: window.end });
        return { refId: target.refId, rows: rows.map(({ metric, value }) => ({
            labels: metric, name: named(target.legendFormat, metric), time: value[0] * 1000,
            value: Number(value[1]) })) };
    }
    const series = await askRange(target.expr, window);
    return { refId: target.refId, series: series.map(({ metric, values }) => ({
        labels: metric, name: named(target.legendFormat, metric), ...onGrid(values, window) })) };
}

// Where there is no sample there is a gap, not a line from one end to the other.
function onGrid(samples, { start, end, step }) {
    const byTime = new Map(samples.map(([time, value]) => [Math.round(time), Number(value)]));
    const times = [];
    for (let time = start; time <= end; time += step) times.push(time);
    const values = times.map((time) => byTime.get(time)).map(
        (value) => (Number.isFinite(value) ? value : null));
    return { times: times.map((time) => time * 1000), values };
}

function named(format, labels) {
    const text = format.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '');
    return text || labels.__name__ || 'Value';
}

// The first time of each stretch in which the annotation's query has a value.
async function timesOf(annotation, window) {
    const times = new Set();
    for (const { values } of await askRange(annotation.expr, window)) {
        let last = -Infinity;
        for (const [time, value] of values) {
            if (annotation.useValueForTime) times.add(Number(value));
            else if (time - last > 2 * window.step) times.add(time * 1000);
            last = time;
        }
    }
    return [...times];
}
