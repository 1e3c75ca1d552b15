// The scan on the screen, through NiiVue. In: a NIfTI file's bytes and what the engine says of it, a label volume.
// Out: slice changes and pen strokes, in storage order. Nothing here knows of the engine or of the page's controls.

import { cmapper, DRAG_MODE, MULTIPLANAR_TYPE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue'

import { labelRgb } from './colours'
import { MAX_LABELS } from './prompt'
import { mirrorIndex, rasMap, readRasSlice, sliceAxes, sliceShape, toRas, writeRasSlice, type RasMap, type SliceShape } from './orientation'
import type { AxisName, ScanInfo } from './messages'

export interface Pen {
  /** Place of the label to paint; 0 erases. */
  place: number
  size: number
  /** Fill what the stroke encloses. */
  filled: boolean
}

export class Viewer {
  /** The slice across the current axis has changed. */
  onSlice: (slice: number) => void = () => {}
  /** A stroke has ended; these are the pixels of the slice it was on. */
  onStroke: (pixels: Uint8Array) => void = () => {}

  readonly #nv: Niivue
  readonly #canvas: HTMLCanvasElement
  #scan: { info: ScanInfo; map: RasMap } | undefined
  #axis: AxisName = 'axial'
  #refreshing = false

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
    this.#nv = new Niivue({
      logLevel: 'silent', // errors reach the page as exceptions
      loadingText: '',
      dragAndDropEnabled: false, // files go through the engine first
      isRadiologicalConvention: true,
      isForceMouseClickToVoxelCenters: true,
      multiplanarLayout: MULTIPLANAR_TYPE.GRID,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      sliceType: SLICE_TYPE.AXIAL,
      maxDrawUndoBitmaps: 1, // undo is kept by slice in prompt.ts
      crosshairWidth: 0,
      crosshairWidthUnit: 'percent',
      crosshairColor: [0.45, 0.75, 1, 0.6],
      backColor: [0.043, 0.051, 0.067, 1],
      fontColor: [0.72, 0.76, 0.82, 1],
      fontMinPx: 12,
      dragMode: DRAG_MODE.none,
      mouseEventConfig: {
        leftButton: { primary: DRAG_MODE.crosshair, withShift: DRAG_MODE.pan },
        rightButton: DRAG_MODE.pan,
        centerButton: DRAG_MODE.pan,
      },
    })
    this.#nv.onLocationChange = () => this.onSlice(this.slice)
    this.#nv.onDrawingChanged = () => this.#strokeEnded()
  }

  async attach(): Promise<void> {
    this.#takeInput()
    await this.#nv.attachToCanvas(this.#canvas, false)
    this.#nv.drawLut = drawColours()
    this.opacity = 0.45
  }

  /** Shows a scan that the engine has accepted. */
  async open(info: ScanInfo, bytes: Blob): Promise<void> {
    const volume = await NVImage.loadFromFile({ file: new File([bytes], 'scan.nii') })
    if (!volume.hdr) throw new Error(`${info.name} cannot be shown`)
    // One reading of the orientation, the engine's: the two may prefer different forms of the header.
    volume.hdr.affine = [0, 4, 8, 12].map((row) => info.affine.slice(row, row + 4))
    volume.calculateRAS()
    volume.cal_min = info.window[0]
    volume.cal_max = info.window[1]
    const map = rasMap(info.dims, volume.permRAS ?? [])
    for (const old of [...this.#nv.volumes]) this.#nv.removeVolume(old)
    this.#nv.drawBitmap = null
    this.#nv.addVolume(volume)
    this.#nv.createEmptyDrawing()
    this.#scan = { info, map }
    this.resetView()
  }

  /** Index along the current axis, in storage order. */
  get slice(): number {
    if (!this.#scan) return 0
    const { axis, map } = this.#voxelAxis()
    const voxel = this.#nv.frac2vox(this.#nv.scene.crosshairPos)
    return mirrorIndex(map, axis, voxel[map.rasAxis[axis]!] ?? 0)
  }

  set slice(slice: number) {
    if (!this.#scan) return
    const { axis, map } = this.#voxelAxis()
    const last = (map.dims[axis] ?? 1) - 1
    const voxel = Array.from(this.#nv.frac2vox(this.#nv.scene.crosshairPos)) as [number, number, number]
    voxel[map.rasAxis[axis]!] = mirrorIndex(map, axis, Math.min(Math.max(slice, 0), last))
    this.#nv.scene.crosshairPos = this.#nv.vox2frac(voxel)
    this.#nv.drawScene()
    this.onSlice(this.slice)
  }

  /** One axis alone, or all planes at once. */
  show(axis: AxisName, allPlanes: boolean): void {
    this.#axis = axis
    if (!this.#scan) return
    const { axis: voxelAxis, map } = this.#voxelAxis()
    const single = [SLICE_TYPE.SAGITTAL, SLICE_TYPE.CORONAL, SLICE_TYPE.AXIAL][map.rasAxis[voxelAxis]!] ?? SLICE_TYPE.AXIAL
    this.#nv.setSliceType(allPlanes ? SLICE_TYPE.MULTIPLANAR : single)
    this.#nv.setCrosshairWidth(allPlanes ? 0.5 : 0)
    this.onSlice(this.slice)
  }

  setWindow([lo, hi]: [number, number]): void {
    const [volume] = this.#nv.volumes
    if (!volume) return
    volume.cal_min = lo
    volume.cal_max = hi
    this.#nv.updateGLVolume()
  }

  set opacity(opacity: number) {
    this.#nv.drawRimOpacity = opacity === 0 ? 0 : Math.min(1, opacity + 0.4)
    this.#nv.setDrawOpacity(opacity)
  }

  /** Turns the pen on, or off with undefined. */
  setPen(pen: Pen | undefined): void {
    if (!this.#scan) return
    if (pen) {
      this.#nv.opts.penSize = pen.filled ? 1 : pen.size
      this.#nv.setPenValue(pen.place, pen.filled)
    }
    if (this.#nv.opts.drawingEnabled !== (pen !== undefined)) this.#nv.setDrawingEnabled(pen !== undefined)
    this.#canvas.classList.toggle('painting', pen !== undefined)
  }

  /** Draws a whole label volume (places, storage order); undefined clears. */
  setLabels(volume: Uint8Array | undefined): void {
    const bitmap = this.#nv.drawBitmap
    if (!this.#scan || !bitmap) return
    if (volume) toRas(this.#scan.map, volume, bitmap)
    else bitmap.fill(0)
    this.#refresh()
  }

  setLabelSlice(axis: AxisName, slice: number, pixels: Uint8Array): void {
    const bitmap = this.#nv.drawBitmap
    if (!this.#scan || !bitmap) return
    writeRasSlice(this.#scan.map, bitmap, this.#scan.info.axes[axis], slice, pixels)
    this.#refresh()
  }

  /** A slice in the window in force, 0 to 255, row by row in storage order. */
  slicePicture(axis: AxisName, slice: number): SliceShape & { grey: Uint8Array } {
    if (!this.#scan) throw new Error('no scan is open')
    const { info } = this.#scan
    const [volume] = this.#nv.volumes
    const across = info.axes[axis]
    const [rowAxis, colAxis] = sliceAxes(across)
    const { rows, cols } = sliceShape(info.dims, across)
    const stride = [1, info.dims[0], info.dims[0] * info.dims[1]]
    const [slope, intercept] = [volume?.hdr?.scl_slope || 1, volume?.hdr?.scl_inter ?? 0]
    const [lo, hi] = [volume?.cal_min ?? 0, volume?.cal_max ?? 1]
    const grey = new Uint8Array(rows * cols)
    for (let row = 0, pixel = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++, pixel++) {
        const voxel = slice * stride[across]! + row * stride[rowAxis]! + col * stride[colAxis]!
        const value = (volume?.img?.[voxel] ?? 0) * slope + intercept
        grey[pixel] = Math.round(255 * Math.min(1, Math.max(0, (value - lo) / (hi - lo))))
      }
    }
    return { rows, cols, grey }
  }

  zoom(factor: number): void {
    const pan = this.#nv.scene.pan2Dxyzmm
    this.#nv.setPan2Dxyzmm([pan[0], pan[1], pan[2], Math.min(10, Math.max(0.25, pan[3] * factor))])
  }

  resetView(): void {
    this.#nv.setPan2Dxyzmm([0, 0, 0, 1])
  }

  #voxelAxis(): { axis: number; map: RasMap } {
    if (!this.#scan) throw new Error('no scan is open')
    return { axis: this.#scan.info.axes[this.#axis], map: this.#scan.map }
  }

  /** Uploads the labels once per frame, however many slices have changed. */
  #refresh(): void {
    if (this.#refreshing) return
    this.#refreshing = true
    requestAnimationFrame(() => {
      this.#refreshing = false
      if (this.#nv.drawBitmap) this.#nv.refreshDrawing(true)
    })
  }

  #strokeEnded(): void {
    const bitmap = this.#nv.drawBitmap
    if (!this.#scan || !bitmap || !this.#nv.opts.drawingEnabled) return
    this.onStroke(readRasSlice(this.#scan.map, bitmap, this.#voxelAxis().axis, this.slice))
  }

  /** Keys and gestures of our own, ahead of NiiVue's: its shortcuts change the view behind the page's back. */
  #takeInput(): void {
    const canvas = this.#canvas
    canvas.addEventListener('keyup', (event) => event.stopImmediatePropagation(), true)
    canvas.addEventListener('dblclick', (event) => event.stopImmediatePropagation(), true)
    canvas.addEventListener('keydown', (event) => {
      event.stopImmediatePropagation()
      const last = this.#scan ? (this.#scan.info.dims[this.#voxelAxis().axis] ?? 1) - 1 : 0
      const target: Record<string, number> = {
        ArrowUp: this.slice + 1,
        ArrowRight: this.slice + 1,
        ArrowDown: this.slice - 1,
        ArrowLeft: this.slice - 1,
        PageUp: this.slice + 10,
        PageDown: this.slice - 10,
        Home: 0,
        End: last,
      }
      const slice = target[event.key]
      if (slice === undefined || !this.#scan) return
      event.preventDefault()
      this.slice = slice
    }, true)
    // With a modifier the wheel zooms (NiiVue zooms in its pan mode), without one it scrolls.
    canvas.addEventListener('wheel', (event) => {
      this.#nv.opts.dragMode = event.ctrlKey || event.metaKey ? DRAG_MODE.pan : DRAG_MODE.none
    }, true)
    // NiiVue drops a stroke that leaves the canvas, but keeps its pixels.
    canvas.addEventListener('mouseleave', (event) => {
      if (event.buttons & 1) this.#strokeEnded()
    })
  }
}

function drawColours(): Niivue['drawLut'] {
  const places = Array.from({ length: MAX_LABELS + 1 }, (_, place) => place)
  const rgb = places.map((place) => labelRgb(place))
  return cmapper.makeDrawLut({
    R: rgb.map(([red]) => red),
    G: rgb.map(([, green]) => green),
    B: rgb.map(([, , blue]) => blue),
    A: places.map((place) => (place === 0 ? 0 : 255)),
    I: places,
    labels: places.map(String),
  })
}
