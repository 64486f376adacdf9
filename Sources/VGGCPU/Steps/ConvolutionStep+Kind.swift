import VGGEngine
import VGGModel

extension ConvolutionStep {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let convolution: Convolution
        let norm: BatchNorm?
        /// Of the step; after a batch norm both are the norm's.
        let relu, pool: Bool
        let choice: ConvolutionChoice

        init(
            _ planned: LaidOutStep, _ convolution: Convolution, norm: BatchNorm?, relu: Bool, pool: Bool
        ) {
            self.planned = planned
            self.convolution = convolution
            self.norm = norm
            (self.relu, self.pool) = (relu, pool)
            choice = ConvolutionChoice(planned, convolution, norm: norm, pool: pool)
        }

        var parameterLayouts: [ParameterLayout] {
            let (kernel, outputs) = (convolution.kernel, convolution.outChannels)
            return [
                .panels(out: outputs, in: convolution.inChannels, height: kernel, width: kernel),
                .vector(outputs),
            ] + (norm?.parameterLayouts ?? [])
        }

        var winnerBytes: Int { hasBackward && pool ? planned.output.count : 0 }

        func kept(batchSize: Int) -> Int {
            guard norm != nil, hasBackward, !choice.remakesZ else { return 0 }
            let z = zLayout(convolution.output(of: planned))
            return (z.gradientStride * batchSize + slack) * z.element.size
        }

        /// What a pool or a batch norm has made of, other things say.
        var readsOutputBackward: Bool { norm == nil && !pool }

        /// Where y and z are of one size and format.
        var canRemakeOutput: Bool {
            planned.trainsParameters && norm != nil && !pool && !choice.remakesZ
                && planned.output.element == Number.element
        }

        var canRemakeInput: Bool {
            planned.trainsParameters && !choice.remakesZ && planned.input.element == Number.element
                && (choice.weightGradient == .direct || choice.weightGradient == .winograd)
        }

        var kernelNames: (forward: String, backward: String) {
            let names = choice.kernelNames(convolution, precision: planned.precision)
            let prefix = isMixed ? "bf16_" : ""
            return norm == nil
                ? names
                : ("\(names.forward), \(prefix)normalize", "\(prefix)norm_gradient, \(names.backward)")
        }

        func scratch(batchSize: Int, threads: Int) -> StepScratch {
            let scratch = Scratch(
                planned, convolution, choice, norm: norm, batchSize: batchSize, threads: threads)
            return StepScratch(
                shared: scratch.shared, worker: scratch.worker, copies: scratch.copies)
        }

        func tasks(_ node: SumTree, threads: Int) -> StepTasks {
            let small = SmallMap(planned, convolution, choice)?.tasks(node.images.count, threads: threads)
            let full = convolution.output(of: planned)
            let tasks = ConvolutionTasks(
                planned, convolution, choice, node: node,
                rows: choice.pool ? planned.output.height : full.height,
                tiles: (
                    tiles(full, planned.output, kernel: convolution.kernel, pool: choice.pool),
                    blocks(of: convolution)
                ),
                images: images(choice, full, kernel: convolution.kernel, batchSize: node.images.count),
                threads: threads)
            let gradients = tasks.gradients
            let forward =
                switch choice.forward {
                case .smallMap: small?.forward.tasks
                case .winograd: tasks.tiles.tasks
                default: tasks.rows.tasks
                }
            return StepTasks(
                forward: choice.remakesZ ? node.images.count : forward ?? 0,
                inputGradient: choice.inputGradient.map {
                    $0 == .smallMap
                        ? small?.inputGradient.tasks ?? 0
                        : choice.sumsInParts && gradients.areOne
                            ? gradients.weights.tasks : gradients.images.tasks
                },
                weightGradient: choice.weightGradient.map {
                    $0 == .smallMap ? small?.weightGradient.tasks ?? 0 : gradients.weights.tasks
                })
        }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            ConvolutionStep(self, parameters, kept: kept, context, batchSize: batchSize)
        }
    }
}
