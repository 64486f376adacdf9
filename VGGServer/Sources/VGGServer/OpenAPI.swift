import VGGFiles
import VGGInference

/// What `/openapi.json` says (OpenAPI 3.0.3), made of the table of endpoints.
enum OpenAPI {
    /// - Parameter needsToken: whether every request must show it; those that change something always must.
    static func document(of endpoints: [Endpoint], needsToken: Bool) -> JSON {
        var paths: [String: [String: JSON]] = [:]
        for endpoint in endpoints {
            guard case .object(var operation) = endpoint.operation else { continue }
            let parameters = endpoint.parts.filter { $0.hasPrefix("{") }.map { part -> JSON in
                [
                    "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
                    "schema": ["type": "string", "minLength": 1],
                ]
            }
            operation["parameters"] = .array(parameters + (operation["parameters"]?.elements ?? []))
            if needsToken && endpoint.access != .open || endpoint.access == .change {
                operation["security"] = [["token": []]]
            }
            operation["operationId"] = .string(
                ([endpoint.method.rawValue.lowercased()]
                    + endpoint.parts.map { $0.filter { $0.isLetter || $0.isNumber } })
                    .joined(separator: "_"))
            paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] = .object(operation)
        }
        return [
            "openapi": "3.0.3",
            "info": [
                "title": "vgg-server", "version": .string(vggVersion),
                "description":
                    "VGG networks: the Open Inference Protocol v2 with its binary, classification and statistics extensions, and pictures for people.",
            ],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            ],
        ]
    }

    // MARK: Operations

    private static func operation(
        _ summary: String, answers: JSON? = nil, body: JSON? = nil, parameters: [JSON] = [],
        computes: Bool = false, mayLackMemory: Bool = false, conflict: String? = nil
    ) -> JSON {
        var success: [String: JSON] = ["description": "what was asked for"]
        if let answers { success["content"] = answers }
        var responses: [String: JSON] = ["200": .object(success)]
        let more =
            (computes ? computing : []) + (mayLackMemory ? [noMemory] : [])
            + (conflict.map { [("409", $0)] } ?? [])
        for (status, reason) in [
            ("400", "the request is wrong"), ("401", "the token is missing or wrong"),
            ("403", "a page of another site asks"), ("404", "there is no such model"),
            ("405", "the address answers other methods"),
            ("421", "the server does not go by this name"),
        ] + more { responses[status] = problem(reason) }
        var operation: [String: JSON] = [
            "summary": .string(summary), "responses": .object(responses), "parameters": .array(parameters),
        ]
        if let body { operation["requestBody"] = ["required": true, "content": body] }
        return .object(operation)
    }

    private static let computing = [
        ("408", "the body took too long"), ("413", "the body is too large"),
        ("415", "the body is packed in a way that is not known"),
        ("503", "the queue is full, the time was over or the model is warming up"),
    ]

    private static let noMemory = ("507", "there is no memory for such pictures")

    private static func problem(_ reason: String) -> JSON {
        ["description": .string(reason), "content": json("Error")]
    }

    private static func reference(_ schema: String) -> JSON {
        ["$ref": .string("#/components/schemas/\(schema)")]
    }
    private static func json(_ schema: String) -> JSON { ["application/json": ["schema": reference(schema)]] }
    private static let binary: JSON = ["schema": ["type": "string", "format": "binary"]]

    /// A form of two pictures.
    private static func pair(_ one: String, _ other: String) -> JSON {
        let file: JSON = ["type": "string", "format": "binary"]
        return [
            "multipart/form-data": [
                "schema": [
                    "type": "object", "required": [.string(one), .string(other)],
                    "properties": .object([one: file, other: file]),
                ]
            ]
        ]
    }

    private static func queryNumber(_ name: String, _ range: ClosedRange<Int>, usually: Int) -> JSON {
        query(
            name, required: false,
            [
                "type": "integer", "minimum": .number(Double(range.lowerBound)),
                "maximum": .number(Double(range.upperBound)), "default": .number(Double(usually)),
            ])
    }

    private static func queryChoice(_ name: String, _ words: String...) -> JSON {
        query(
            name, required: false,
            ["type": "string", "enum": .array(words.map(JSON.string)), "default": .string(words[0])])
    }

    private static let pictures: JSON = [
        "image/jpeg": binary, "image/png": binary, "image/webp": binary, "application/octet-stream": binary,
        "multipart/form-data": [
            "schema": [
                "type": "object", "required": ["image"],
                "properties": ["image": ["type": "string", "format": "binary"]],
            ]
        ],
    ]

    private static func query(_ name: String, required: Bool, _ schema: JSON) -> JSON {
        ["name": .string(name), "in": "query", "required": .bool(required), "schema": schema]
    }

    private static let preprocessing = queryChoice("preprocessing", "model", "garment")

    static let server = operation("The server and its extensions", answers: json("Server"))
    static let live = operation("Whether the server runs")
    static let ready: JSON = {
        guard case .object(var operation) = operation("Whether it has been warmed up"),
            case .object(var responses) = operation["responses"]
        else { return .null }
        responses["503"] = problem("not ready")
        operation["responses"] = .object(responses)
        return .object(operation)
    }()
    static let metadata = operation("A model's inputs and outputs", answers: json("Model"))
    static let configuration = operation("A model's batches and queue", answers: json("Configuration"))
    static let statistics = operation("What models have done", answers: json("Statistics"))
    static let infer = operation(
        "The logits, probabilities or classes of prepared images or of pictures",
        answers: [
            "application/json": ["schema": reference("InferenceResponse")],
            "application/octet-stream": binary,
        ],
        body: [
            "application/json": ["schema": reference("InferenceRequest")],
            "application/octet-stream": binary,
        ], computes: true)
    static let classify = operation(
        "What a picture shows", answers: json("Prediction"), body: pictures,
        parameters: [
            query("top", required: false, ["type": "integer", "minimum": 1, "default": 5]), preprocessing,
        ],
        computes: true)
    static let features = operation(
        "What a layer makes of a picture", answers: json("Features"), body: pictures,
        parameters: [
            query("layer", required: true, ["type": "string", "minLength": 1]),
            query(
                "pool", required: false,
                [
                    "type": "string", "default": "none",
                    "enum": .array(FeaturePooling.allCases.map { .string($0.rawValue) }),
                ]), preprocessing,
        ], computes: true, mayLackMemory: true)
    static let distance = operation(
        "How alike two pictures look to a network", answers: json("Distance"), body: pair("a", "b"),
        parameters: [queryNumber("size", StylizationWish.sizes, usually: 256)], computes: true,
        mayLackMemory: true)
    static let stylize = operation(
        "Paints a picture in the manner of another, and tells of each step by server-sent events; always with the token",
        answers: ["text/event-stream": ["schema": reference("StylizationEvent")]],
        body: pair("content", "style"),
        parameters: [
            queryNumber("size", StylizationWish.sizes, usually: 256),
            queryNumber("steps", StylizationWish.counts, usually: 100),
            queryNumber("every", StylizationWish.counts, usually: 5),
            queryChoice("optimizer", "adam", "lbfgs"), queryChoice("start", "content", "noise"),
            queryChoice("colours", "style", "content"),
            query(
                "style", required: false,
                ["type": "number", "minimum": 0, "maximum": 1_000_000, "default": 1]),
        ], computes: true, mayLackMemory: true, conflict: "another picture is being painted")
    static let metrics = operation(
        "Metrics in Prometheus's text format", answers: ["text/plain": ["schema": ["type": "string"]]])
    static let itself = operation(
        "This document", answers: ["application/json": ["schema": ["type": "object"]]])

    // MARK: Schemas

    private static func object(_ properties: [String: JSON], required: [String]? = nil) -> JSON {
        [
            "type": "object", "properties": .object(properties),
            "required": .array((required ?? properties.keys.sorted()).map(JSON.string)),
        ]
    }

    private static func array(of items: JSON, atLeast count: Int = 0) -> JSON {
        ["type": "array", "items": items, "minItems": .number(Double(count))]
    }

    private static let text: JSON = ["type": "string"]
    private static let number: JSON = ["type": "number"]
    private static let whole: JSON = ["type": "integer"]
    private static let anything: JSON = ["type": "object"]

    private static let schemas: [String: JSON] = [
        "Error": object(["error": text]),
        "Server": object(["name": text, "version": text, "extensions": array(of: text)]),
        "Tensor": object(["name": text, "datatype": text, "shape": array(of: whole)]),
        "Model": object([
            "name": text, "versions": array(of: text), "platform": text,
            "inputs": array(of: reference("Tensor")), "outputs": array(of: reference("Tensor")),
        ]),
        "Configuration": object(
            [
                "name": text, "max_batch_size": whole, "input": array(of: anything),
                "output": array(of: anything),
            ]),
        "Statistics": object(["model_stats": array(of: anything)]),
        "InferenceRequest": object(
            [
                "id": text, "parameters": anything,
                "inputs": array(
                    of: object(
                        [
                            "name": text, "shape": array(of: whole, atLeast: 1),
                            "datatype": ["type": "string", "enum": ["FP32", "BF16", "BYTES"]],
                            "parameters": anything, "data": array(of: [:]),
                        ], required: ["name", "shape", "datatype"]), atLeast: 1),
                "outputs": array(
                    of: object(["name": text, "parameters": anything], required: ["name"])),
            ], required: ["inputs"]),
        "InferenceResponse": object(
            [
                "id": text, "model_name": text, "model_version": text,
                "outputs": array(
                    of: object(
                        [
                            "name": text, "datatype": text, "shape": array(of: whole), "parameters": anything,
                            "data": array(of: [:]),
                        ], required: ["name", "datatype", "shape"])),
            ], required: ["model_name", "model_version", "outputs"]),
        "Prediction": object(
            [
                "logits": array(of: number),
                "top": array(of: object(["label": whole, "class": text, "probability": number])),
            ]),
        "Distance": object(
            [
                "height": whole, "width": whole, "features": reference("LayerDistances"),
                "lpips": reference("LayerDistances"),
            ], required: ["height", "width", "features"]),
        // Of a stream the schema is each event's.
        "StylizationEvent": object([
            "event": ["type": "string", "enum": ["begin", "step", "end", "problem"]], "data": text,
        ]),
        "LayerDistances": object([
            "distance": number, "layers": array(of: object(["layer": text, "distance": number])),
        ]),
        "Features": object(["layer": text, "shape": array(of: whole), "values": array(of: number)]),
    ]
}
