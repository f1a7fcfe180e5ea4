// The dashboard in a browser, from answers that render.mjs put into the page: Grafana's own panels'
// components on Grafana's grid.
import 'uplot/dist/uPlot.min.css';

import {
    applyFieldOverrides, createTheme, dateTime, FieldType, getDisplayProcessor,
    getFieldDisplayValues, toDataFrame, transformDataFrame,
} from '@grafana/data';
import {
    BarGauge, BigValue, GlobalStyles, PanelChrome, PortalContainer, Table, ThemeContext, TimeSeries,
} from '@grafana/ui';
import { useLayoutEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { firstValueFrom } from 'rxjs';

import { fieldOptions, register } from './registries.js';

const { dashboard, answers } = window.RENDER;
const theme = createTheme({ colors: { mode: 'dark' } });
const CELL = 30, GAP = 8, TIME_ZONE = 'utc';
const timeRange = { from: dateTime(answers.from), to: dateTime(answers.to),
                    raw: { from: 'now-1h', to: 'now' } };

function framesOf(panel) {
    return answers.panels[panel.id].flatMap(({ refId, series, rows }) => {
        if (series) return series.map((one) => frame(refId, one.times, one.values, one));
        if (panel.type === 'table') return [tableFrame(refId, rows)];
        return rows.map((row) => frame(refId, [row.time], [row.value], row));
    });
}

function frame(refId, times, values, { labels, name }) {
    return toDataFrame({ refId, name, fields: [
        { name: 'Time', type: FieldType.time, values: times },
        { name: 'Value', type: FieldType.number, values, labels,
          config: { displayNameFromDS: name } },
    ] });
}

// As Grafana's data source does for format "table".
function tableFrame(refId, rows) {
    const labels = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
    return toDataFrame({ refId, fields: [
        { name: 'Time', type: FieldType.time, values: rows.map((row) => row.time) },
        ...labels.map((label) => ({ name: label, type: FieldType.string,
                                    values: rows.map((row) => row.labels[label] ?? '') })),
        { name: `Value #${refId}`, type: FieldType.number, values: rows.map((row) => row.value) },
    ] });
}

async function dataOf(panel) {
    let frames = framesOf(panel);
    // With a single query Grafana calls its column "Value".
    if (panel.type === 'table' && panel.targets.length === 1)
        frames[0].fields.at(-1).name = 'Value';
    if (panel.transformations) {
        const context = { interpolate: (text) => text };
        frames = await firstValueFrom(transformDataFrame(panel.transformations, frames, context));
    }
    return applyFieldOverrides({
        data: frames, fieldConfig: panel.fieldConfig, fieldConfigRegistry: fieldOptions,
        replaceVariables: (text) => text, theme, timeZone: TIME_ZONE,
    });
}

// Starts, drains and reloads as Grafana marks them: dashed lines across the graph.
function Marks({ builder }) {
    useLayoutEffect(() => {
        builder.addHook('draw', (plot) => {
            const { ctx, bbox } = plot;
            ctx.save();
            ctx.setLineDash([5, 5]);
            ctx.lineWidth = 1;
            for (const { color, times } of answers.marks) {
                ctx.strokeStyle = theme.visualization.getColorByName(color);
                for (const time of times) {
                    const x = Math.round(plot.valToPos(time, 'x', true));
                    if (x < bbox.left || x > bbox.left + bbox.width) continue;
                    ctx.beginPath();
                    ctx.moveTo(x, bbox.top);
                    ctx.lineTo(x, bbox.top + bbox.height);
                    ctx.stroke();
                }
            }
            ctx.restore();
        });
    }, [builder]);
    return null;
}

function Graph({ panel, data, width, height }) {
    return (
        <TimeSeries frames={data} timeRange={timeRange} timeZone={TIME_ZONE} width={width}
                    height={height} legend={panel.options.legend} options={panel.options}>
            {(builder) => <Marks builder={builder} />}
        </TimeSeries>
    );
}

function displayValues(panel, data) {
    return getFieldDisplayValues({
        data, fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, theme,
        replaceVariables: (text) => text, timeZone: TIME_ZONE,
    });
}

function Stat({ panel, data, width, height }) {
    const [one] = displayValues(panel, data);
    return <BigValue theme={theme} width={width} height={height} value={one.display}
                     colorMode={panel.options.colorMode} graphMode="none"
                     textMode={panel.options.textMode} justifyMode="auto" />;
}

function Bars({ panel, data, width, height }) {
    const values = displayValues(panel, data);
    const spacing = 6;
    const each = Math.min(28, (height - spacing * (values.length - 1)) / values.length);
    const longest = values.reduce((text, { display }) =>
        (display.title.length > text.length ? display.title : text), '');
    const alignmentFactors = { title: `${longest}m`, text: values.reduce((text, { display }) =>
        (display.text.length > text.length ? display.text : text), ''), suffix: ' ms' };
    return values.map((value, at) => (
        <div key={at} style={{ marginBottom: spacing }}>
            <BarGauge theme={theme} width={width} height={each} field={value.field}
                      value={value.display} display={getDisplayProcessor({
                          field: { type: FieldType.number, config: value.field }, theme })}
                      orientation="horizontal" displayMode={panel.options.displayMode}
                      showUnfilled={panel.options.showUnfilled} alignmentFactors={alignmentFactors}
                      valueDisplayMode={panel.options.valueMode} />
        </div>
    ));
}

function Rows({ data, width, height }) {
    return <Table data={data[0]} width={width} height={height} timeRange={timeRange} />;
}

const KINDS = { timeseries: Graph, stat: Stat, bargauge: Bars, table: Rows };

function Nothing() {
    return <div style={{ textAlign: 'center', paddingTop: 20, color: '#8e8e8e' }}>No data</div>;
}

function Panel({ panel, data, width, height }) {
    const Kind = data.some(({ length }) => length > 0) ? KINDS[panel.type] : Nothing;
    return (
        <PanelChrome title={panel.title} description={panel.description} width={width}
                     height={height}>
            {(innerWidth, innerHeight) => (
                <Kind panel={panel} data={data} width={innerWidth} height={innerHeight} />
            )}
        </PanelChrome>
    );
}

function Dashboard({ data, width }) {
    const column = (width - GAP) / 24;
    return dashboard.panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const style = { position: 'absolute', left: GAP + x * column, top: GAP + y * (CELL + GAP) };
        if (panel.type === 'row') {
            return <div key={panel.id} style={{ ...style, font: '500 18px Inter, sans-serif',
                                                lineHeight: `${CELL}px`, color: '#ccccdc' }}>
                {panel.title}
            </div>;
        }
        return <div key={panel.id} style={style}>
            <Panel panel={panel} data={data[panel.id]} width={w * column - GAP}
                   height={h * (CELL + GAP) - GAP} />
        </div>;
    });
}

async function main() {
    await register();
    const data = {};
    for (const panel of dashboard.panels) {
        if (panel.type !== 'row') data[panel.id] = await dataOf(panel);
    }
    document.body.style.background = theme.colors.background.canvas;
    createRoot(document.getElementById('root')).render(
        <ThemeContext.Provider value={theme}>
            <GlobalStyles />
            <Dashboard data={data} width={window.innerWidth} />
            <PortalContainer />
        </ThemeContext.Provider>);
}

main().catch((error) => { document.body.textContent = `failed: ${error.stack}`; });
