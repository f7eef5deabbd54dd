/** What the server takes as a proof; it looks into the file again. */
export const proofKinds = {
  "application/pdf": [".pdf"],
  "image/jpeg": [".jpg", ".jpeg"],
  "image/png": [".png"],
  "image/heic": [".heic", ".heif"],
  "image/tiff": [".tif", ".tiff"],
};

/** Bytes. */
export const largestProof = 20 * 1024 * 1024;
