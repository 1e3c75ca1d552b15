// The end-to-end tests: the built page in Chromium, on the CPU and on WebGPU (where there is no GPU, Chromium emulates one).
// In: www/dist, ONESLICE_CHROMIUM (the browser). Out: pass or fail, and a trace of what failed.

import { defineConfig } from '@playwright/test'

import type { Options } from '../tests/e2e/harness'

const PORT = Number(process.env['ONESLICE_E2E_PORT'] ?? 4173)
const MINUTE = 60_000

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const launch = (...flags: string[]): { executablePath: string; args: string[] } => ({
  executablePath: process.env['ONESLICE_CHROMIUM'] ?? '/usr/bin/chromium',
  args: [...FLAGS, ...flags],
})
const emulatedGpu = launch('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan')

export default defineConfig<Options>({
  testDir: '../tests/e2e',
  outputDir: 'test-results',
  reporter: 'list',
  forbidOnly: true,
  workers: 2,
  expect: { timeout: MINUTE },
  use: {
    baseURL: `http://127.0.0.1:${PORT}/`,
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
  },
  projects: [
    // A page computes in one thread.
    { name: 'cpu', workers: 2, timeout: 5 * MINUTE, grepInvert: /@webgpu-only|@no-webgpu/, use: { device: 'cpu', launchOptions: emulatedGpu } },
    // An emulated GPU takes seconds for a slice, so it runs only what can differ from the CPU: opening it, the result, being
    // stopped and left for another device, and errors. Files, painting and viewing never reach it.
    { name: 'webgpu', workers: 1, timeout: 20 * MINUTE, grep: /@webgpu/, use: { device: 'webgpu', launchOptions: emulatedGpu } },
    { name: 'no-webgpu', timeout: 5 * MINUTE, grep: /@no-webgpu/, use: { device: 'auto', launchOptions: launch('--disable-features=WebGPU,WebGPUService', '--disable-blink-features=WebGPU') } },
  ],
  webServer: {
    command: `npx --no-install vite preview --port ${PORT} --strictPort`,
    url: `http://127.0.0.1:${PORT}/`,
    reuseExistingServer: false,
  },
})
