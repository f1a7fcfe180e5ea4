// What Grafana's core registers at its start and no npm package has: which options a field may
// have, and the transformations. Without it every override is silently ignored.
import {
    standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry,
    FieldConfigOptionsRegistry, identityOverrideProcessor,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';

const FIELD_OPTIONS = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color',
                       'thresholds', 'mappings', 'links'];
const CUSTOM_OPTIONS = ['drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity',
                        'showPoints', 'spanNulls', 'stacking', 'thresholdsStyle', 'axisPlacement',
                        'axisSoftMin', 'axisSoftMax', 'align', 'cellOptions', 'minWidth'];

function option(path, isCustom) {
    return {
        id: isCustom ? `custom.${path}` : path, path, isCustom, name: path, editor: () => null,
        override: () => null, process: identityOverrideProcessor, shouldApply: () => true,
        getItemsCount: () => 1,
    };
}

const options = [...FIELD_OPTIONS.map((path) => option(path, false)),
                 ...CUSTOM_OPTIONS.map((path) => option(path, true))];

export const fieldOptions = new FieldConfigOptionsRegistry();

export async function register() {
    await initPluginTranslations('grafana');
    standardFieldConfigEditorRegistry.setInit(() => options.filter(({ isCustom }) => !isCustom));
    for (const item of options) fieldOptions.register(item);
    standardTransformersRegistry.setInit(
        () => [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer]
            .map((it) => ({ id: it.id, name: it.name, transformation: async () => it,
                            editor: () => null, imageDark: '', imageLight: '' })));
}
