import Testing

extension ToolTests {
    @Test(arguments: ["fp32", "bf16"], ["train", "infer"])
    func benchSaysWhereTheTimeGoes(_ precision: String, _ mode: String) throws {
        let result = try run(
            "bench --size 32 --batch-size 4 --steps 3 --precision \(precision) --mode \(mode) --format json")
        let object = try #require(try result.objects().first)
        let milliseconds = try #require(object["step_ms"] as? [Double])
        #expect(milliseconds.count == 3)
        let speed = try #require(object["images_per_sec"] as? Double)
        #expect(abs(speed - 4000 / milliseconds.sorted()[1]) < 1e-6 * speed)
        for key in ["peak_rss_mb", "gflops", "percent_of_peak"] {
            #expect(try #require(object[key] as? Double) > 0, "\(key)")
        }
        let layers = try #require(object["layers"] as? [[String: Any]])
        #expect(layers.contains { $0["name"] as? String == "features.0…features.2" })
        let total = layers.compactMap { $0["forward_ms"] as? Double }.reduce(0, +)
        #expect(total > 0)
    }

    @Test(arguments: ["auto", "fp32", "bf16"], ["stylize", "distance"])
    func benchMeasuresPictures(_ precision: String, _ mode: String) throws {
        let result = try run(
            """
            bench --mode \(mode) --arch vgg16 --width-divisor 8 --in-channels 3 --size 32 --batch-size 2 --steps 3 \
            --precision \(precision) --format json
            """)
        let object = try #require(try result.objects().first)
        #expect(object["mode"] as? String == mode)
        #expect(object["precision"] as? String == (precision == "bf16" ? "bf16" : "fp32"))
        #expect((object["step_ms"] as? [Double])?.count == 3)
        #expect(try #require(object["images_per_sec"] as? Double) > 0)
    }

    /// Room for all that an optimiser may keep is reserved; what it does not keep is never touched, and not paid for.
    @Test func stateThatIsNotKeptTakesNoMemory() throws {
        let network = "--conv-arch 1x8 --size 8 --hidden-features 2048,2048,2048,2048,2048"
        let parameters = 4.0 * 4 * 2048 * 2048 / 1e6
        let peaks = try ["0", "0.9"].map { momentum in
            let words =
                "bench \(network) --batch-size 1 --steps 1 --precision fp32 --momentum \(momentum) --format json"
            return try #require(try run(words).objects().first?["peak_rss_mb"] as? Double)
        }
        #expect(peaks[1] - peaks[0] > parameters / 2, "\(peaks)")
    }

    @Test func summaryShowsThePlan() throws {
        let text = try run("summary --width-divisor 4 --plan --precision fp32").output
        #expect(text.contains("winograd_convolution_relu_pool"))
        let result = try run("summary --width-divisor 4 --plan --precision bf16 --format json")
        let object = try #require(try result.objects().first)
        let plan = try #require(object["plan"] as? [[String: Any]])
        // Eight convolutions with their ReLUs and pools, three linear layers, two dropouts; the loss and the update.
        #expect(plan.count == 15)
        #expect(plan[0]["forward"] as? String == "bf16_convolution_relu_pool")
        #expect(plan[0]["output"] as? String == "bf16 112×112×16, border 1")
    }

    /// Two tasks for each of 64 threads, in every pass of every step.
    @Test(
        arguments: ["--width-divisor 4", "--arch vgg16 --in-channels 3", "--arch vgg16_bn --classes 1000"],
        ["fp32", "bf16"])
    func thereAreTasksForManyThreads(_ network: String, _ precision: String) throws {
        let words =
            "summary \(network) --plan --precision \(precision) --batch-size 128 --threads 64 --format json"
        let object = try #require(try run(words).objects().first)
        let plan = try #require(object["plan"] as? [[String: Any]])
        #expect(plan.last?["name"] as? String == "update")
        for (index, step) in plan.enumerated() {
            let tasks = try #require(step["tasks"] as? [String: Int])
            #expect(tasks.values.allSatisfy { $0 >= 128 }, "\(step["name"] ?? ""): \(tasks)")
            let isTrained = (step["kind"] as? String)?.contains(/Conv2d|Linear/) == true
            #expect((tasks["weight_gradient"] != nil) == isTrained || network.contains("bn"))
            #expect((tasks["input_gradient"] != nil) == (index > 0 && index < plan.count - 2))
        }
        let text = try run(words.replacing(" --format json", with: "")).output
        #expect(text.contains("128 128"))
    }
}
