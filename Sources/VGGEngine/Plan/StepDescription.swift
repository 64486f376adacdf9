/// Into how many tasks the passes of a step are cut.
public struct StepTasks: Hashable, Sendable, Codable {
    /// Of the forward pass.
    public var forward: Int
    /// Those of the gradients; nil where there are none. The same tasks may make both.
    public var inputGradient: Int?
    /// Those of the gradients of the weights; nil where there are none.
    public var weightGradient: Int?

    package init(forward: Int, inputGradient: Int? = nil, weightGradient: Int? = nil) {
        self.forward = forward
        self.inputGradient = inputGradient
        self.weightGradient = weightGradient
    }
}

/// What a step of a plan does on a device, for people who want to know. Of a training the last two are no layers': the loss
/// and the update of what the backward pass has not updated itself.
public struct StepDescription: Hashable, Sendable, Codable {
    /// torchvision's name of the step's first layer, and of the last where there are more.
    public var name: String
    /// The class names of the step's layers.
    public var kind: String
    /// The kernels of the forward and the backward pass.
    public var forward: String
    /// The kernels of the backward pass.
    public var backward: String
    /// How the output lies in memory.
    public var output: String
    /// Bytes of the output for the whole batch.
    public var outputBytes: Int
    /// Bytes of copies of its weights, scratch memory and, while training, what it remembers.
    public var otherBytes: Int
    /// On the device's threads.
    public var tasks: StepTasks

    package init(
        name: String, kind: String, forward: String, backward: String, output: String, outputBytes: Int,
        otherBytes: Int, tasks: StepTasks
    ) {
        self.name = name
        self.kind = kind
        self.forward = forward
        self.backward = backward
        self.output = output
        self.outputBytes = outputBytes
        self.otherBytes = otherBytes
        self.tasks = tasks
    }
}
