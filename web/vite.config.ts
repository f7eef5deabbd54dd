/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page itself is a Django template: it links the hashed entry and its CSS from .vite/manifest.json. */
export default defineConfig({
  base: "/static/track/",
  plugins: [react()],
  build: {
    outDir: "../src/trackcenter/static/track",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    rollupOptions: { input: "src/main.tsx" },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    css: false,
  },
});
