// Browsers start no worker for a page that was opened from the file system. There, the script of a
// worker, such as that of the search, runs in a hidden frame in its place.
if (location.protocol === "file:") {
  window.Worker = class {
    onmessage = null
    onerror = null
    onmessageerror = null

    constructor(url) {
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.append(this.frame)
      const inside = this.frame.contentWindow
      // Messages are copies, as those of a worker are: either side may change its own.
      inside.postMessage = (message) => {
        const data = structuredClone(message)
        setTimeout(() => this.onmessage?.({ data }))
      }
      this.loaded = new Promise((resolve) => {
        const script = inside.document.createElement("script")
        script.src = url
        script.onload = () => resolve(inside)
        script.onerror = (event) => this.onerror?.(event)
        inside.document.body.append(script)
      })
    }

    postMessage(message) {
      const data = this.frame.contentWindow.structuredClone(message)
      this.loaded.then((inside) => inside.onmessage?.({ data }))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
