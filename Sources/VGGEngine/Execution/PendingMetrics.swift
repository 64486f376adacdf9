/// What a batch gave, as soon as its device knows it. Whoever asks later lets the device go on for longer.
package struct PendingMetrics {
    /// Whether asking for them waits for nobody.
    package let areKnown: Bool
    private let wait: () -> BatchMetrics

    /// Of a device that is done when its calls return.
    package init(_ metrics: BatchMetrics) {
        areKnown = true
        wait = { metrics }
    }

    /// - Parameter wait: waits for the device.
    package init(wait: @escaping () -> BatchMetrics) {
        areKnown = false
        self.wait = wait
    }

    /// Waits until they are known. After a failure of the device the loss is not a number.
    package func metrics() -> BatchMetrics { wait() }
}
