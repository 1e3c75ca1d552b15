// The scan on the screen, through NiiVue. In: a NIfTI file's bytes and what the engine says of it, a label volume.
// Out: slice changes, values, and where a slice's pixels are on the canvas. Nothing here knows of the engine or of the page's controls.

import { cmapper, DRAG_MODE, MULTIPLANAR_TYPE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue'

import type { Rgb } from './colours'
import { mirrorIndex, rasMap, sliceAxes, sliceShape, toRas, writeRasSlice, type RasMap, type SliceShape } from './orientation'
import { planeThrough, type Plane } from './plane'
import { pixelSize, type PixelSize, type Point } from './raster'
import type { AxisName, ScanInfo } from './messages'

/** One axis alone, three planes and the volume, or the volume alone. */
export type View = AxisName | 'planes' | 'render'

export class Viewer {
  /** The slice across the current axis has changed. */
  onSlice: (slice: number) => void = () => {}
  /** The canvas was drawn anew: what lies over it may have to move. */
  onDraw: () => void = () => {}
  /** A key on the canvas; true when it was used. */
  onKey: (event: KeyboardEvent) => boolean = () => false

  readonly canvas: HTMLCanvasElement
  readonly #nv: Niivue
  #scan: { info: ScanInfo; map: RasMap } | undefined
  #axis: AxisName = 'axial'
  #view: View = 'axial'
  #crosshair = true
  #letters = true
  #refreshing = false

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    this.#nv = new Niivue({
      logLevel: 'silent', // errors reach the page as exceptions
      loadingText: '',
      dragAndDropEnabled: false, // files go through the engine first
      isRadiologicalConvention: true,
      isForceMouseClickToVoxelCenters: true,
      multiplanarLayout: MULTIPLANAR_TYPE.GRID,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      sliceType: SLICE_TYPE.AXIAL,
      maxDrawUndoBitmaps: 1, // undo is kept by slice in mask.ts
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
    const draw = this.#nv.drawScene.bind(this.#nv)
    this.#nv.drawScene = () => {
      const text = draw()
      this.onDraw()
      return text
    }
  }

  async attach(): Promise<void> {
    this.#takeInput()
    await this.#nv.attachToCanvas(this.canvas, false)
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

  /** `axis` is the one that the slider moves along. */
  show(axis: AxisName, view: View): void {
    this.#axis = axis
    this.#view = view
    if (!this.#scan) return
    const { axis: voxelAxis, map } = this.#voxelAxis()
    const single = [SLICE_TYPE.SAGITTAL, SLICE_TYPE.CORONAL, SLICE_TYPE.AXIAL][map.rasAxis[voxelAxis]!] ?? SLICE_TYPE.AXIAL
    this.#nv.setSliceType(view === 'planes' ? SLICE_TYPE.MULTIPLANAR : view === 'render' ? SLICE_TYPE.RENDER : single)
    this.#showCrosshair()
    this.#showLetters()
    this.onSlice(this.slice)
  }

  setWindow([lo, hi]: readonly [number, number]): void {
    const [volume] = this.#nv.volumes
    if (!volume) return
    volume.cal_min = lo
    volume.cal_max = hi
    this.#nv.updateGLVolume()
  }

  /** Share of the labels' colour, or their borders alone. */
  setOverlay(opacity: number, outlineOnly: boolean): void {
    this.#nv.drawRimOpacity = opacity === 0 ? 0 : Math.min(1, opacity + 0.4)
    // With none at all NiiVue would leave out the borders too.
    this.#nv.setDrawOpacity(outlineOnly ? Math.min(opacity, 0.001) : opacity)
  }

  setColours(colours: readonly Rgb[]): void {
    this.#nv.drawLut = cmapper.makeDrawLut({
      R: [0, ...colours.map(([red]) => red)],
      G: [0, ...colours.map(([, green]) => green)],
      B: [0, ...colours.map(([, , blue]) => blue)],
      A: [0, ...colours.map(() => 255)],
      I: [0, ...colours.map((_, index) => index + 1)],
      labels: ['', ...colours.map((_, index) => String(index + 1))],
    })
    if (this.#scan) this.#nv.updateGLVolume()
  }

  setRadiological(radiological: boolean): void {
    this.#nv.setRadiologicalConvention(radiological)
  }

  /** In several planes; of a single one the page says it. */
  setLetters(visible: boolean): void {
    this.#letters = visible
    this.#showLetters()
  }

  setCrosshair(visible: boolean): void {
    this.#crosshair = visible
    this.#showCrosshair()
  }

  /** Voxels as they are, or blended into one another. */
  setSmooth(smooth: boolean): void {
    this.#nv.setInterpolation(!smooth)
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

  emptySlice(axis: AxisName): Uint8Array {
    const { info } = this.#opened()
    const { rows, cols } = sliceShape(info.dims, info.axes[axis])
    return new Uint8Array(rows * cols)
  }

  /** The scan's values on a slice, row by row in storage order. */
  values(axis: AxisName, slice: number): Float32Array & SliceShape {
    const { info } = this.#opened()
    const [volume] = this.#nv.volumes
    const across = info.axes[axis]
    const [rowAxis, colAxis] = sliceAxes(across)
    const { rows, cols } = sliceShape(info.dims, across)
    const stride = [1, info.dims[0], info.dims[0] * info.dims[1]]
    const slope = volume?.hdr?.scl_slope || 1
    const intercept = volume?.hdr?.scl_inter ?? 0
    const values = new Float32Array(rows * cols)
    for (let row = 0, pixel = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++, pixel++) {
        const voxel = slice * stride[across]! + row * stride[rowAxis]! + col * stride[colAxis]!
        values[pixel] = (volume?.img?.[voxel] ?? 0) * slope + intercept
      }
    }
    return Object.assign(values, { rows, cols })
  }

  /** A slice in the window in force, 0 to 255. */
  slicePicture(axis: AxisName, slice: number): SliceShape & { grey: Uint8Array } {
    const values = this.values(axis, slice)
    const [volume] = this.#nv.volumes
    const [lo, hi] = [volume?.cal_min ?? 0, volume?.cal_max ?? 1]
    const grey = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, (value - lo) / (hi - lo)))))
    return { rows: values.rows, cols: values.cols, grey }
  }

  /** Lowest and highest value of the scan. */
  get range(): [number, number] {
    const [volume] = this.#nv.volumes
    return [volume?.global_min ?? 0, volume?.global_max ?? 1]
  }

  /** Of a slice across the current axis. */
  get shape(): SliceShape {
    const { info } = this.#opened()
    return sliceShape(info.dims, info.axes[this.#axis])
  }

  /** How long pixels are on a slice across the current axis. */
  get pixelSize(): PixelSize {
    const { info } = this.#opened()
    const [rows, cols] = sliceAxes(info.axes[this.#axis])
    return pixelSize(info.spacing[cols] ?? 1, info.spacing[rows] ?? 1)
  }

  /** From canvas pixels (CSS) to the pixels of the slice that is shown alone; undefined when there is no such slice. */
  get plane(): Plane | undefined {
    const tile = this.#nv.screenSlices[0]
    if (!this.#scan || !tile || this.#view === 'planes' || this.#view === 'render') return undefined
    const { map, axis } = this.#voxelAxis()
    const [rowAxis, colAxis] = sliceAxes(axis)
    const [left, top, width, height] = tile.leftTopWidthHeight as [number, number, number, number]
    const ratio = this.#nv.uiData.dpr ?? 1
    const seen = (x: number, y: number): [Point, Point] => {
      const screen = { x: left + x * width, y: top + y * height }
      const fraction = this.#nv.screenXY2TextureFrac(screen.x, screen.y, 0, false)
      const along = (voxelAxis: number): number => {
        const size = map.dims[voxelAxis] ?? 1
        const place = (fraction[map.rasAxis[voxelAxis]!] ?? 0) * size - 0.5
        return map.flipped[voxelAxis] ? size - 1 - place : place
      }
      return [{ x: screen.x / ratio, y: screen.y / ratio }, { x: along(colAxis), y: along(rowAxis) }]
    }
    // Inside of the tile: NiiVue says nothing of its very edge.
    const [a, b, c] = [seen(0.25, 0.25), seen(0.75, 0.25), seen(0.25, 0.75)]
    return planeThrough([a[0], b[0], c[0]], [a[1], b[1], c[1]])
  }

  zoom(factor: number): void {
    const pan = this.#nv.scene.pan2Dxyzmm
    this.#nv.setPan2Dxyzmm([pan[0], pan[1], pan[2], Math.min(10, Math.max(0.25, pan[3] * factor))])
  }

  resetView(): void {
    this.#nv.setPan2Dxyzmm([0, 0, 0, 1])
  }

  #showCrosshair(): void {
    this.#nv.setCrosshairWidth(this.#crosshair && this.#view === 'planes' ? 0.5 : 0)
  }

  #showLetters(): void {
    this.#nv.setIsOrientationTextVisible(this.#letters && this.#view === 'planes')
  }

  #opened(): { info: ScanInfo; map: RasMap } {
    if (!this.#scan) throw new Error('no scan is open')
    return this.#scan
  }

  #voxelAxis(): { axis: number; map: RasMap } {
    const { info, map } = this.#opened()
    return { axis: info.axes[this.#axis], map }
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

  /** Keys and gestures of our own, ahead of NiiVue's: its shortcuts change the view behind the page's back. */
  #takeInput(): void {
    const { canvas } = this
    canvas.addEventListener('keyup', (event) => event.stopImmediatePropagation(), true)
    canvas.addEventListener('dblclick', (event) => event.stopImmediatePropagation(), true)
    canvas.addEventListener('keydown', (event) => {
      if (!this.#scan) return
      // NiiVue listens on the canvas itself; the page's own shortcuts listen further out and still hear it.
      const last = (this.#scan.info.dims[this.#voxelAxis().axis] ?? 1) - 1
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
      const slice = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey ? undefined : target[event.key]
      if (this.onKey(event)) event.preventDefault()
      else if (slice !== undefined) {
        event.preventDefault()
        this.slice = slice
      }
    }, true)
    // With a modifier the wheel zooms (NiiVue zooms in its pan mode), without one it scrolls.
    canvas.addEventListener('wheel', (event) => {
      this.#nv.opts.dragMode = event.ctrlKey || event.metaKey ? DRAG_MODE.pan : DRAG_MODE.none
    }, true)
  }
}
