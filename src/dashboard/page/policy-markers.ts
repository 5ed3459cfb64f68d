import { signal } from '@preact/signals';
import type { Marker } from './draw-markers.ts';

/** When another policy came into force, as far as that is remembered. */
export const policyMarkers = signal<readonly Marker[]>([]);
