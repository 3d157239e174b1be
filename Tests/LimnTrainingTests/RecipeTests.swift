// Recipes: what is accepted and what is refused, side by side.

import LimnTraining
import Testing

private struct InnerRecipe: Codable, Sendable, Equatable {
  var rate = 0.5
  var count: Int?
}

private struct OuterRecipe: MethodRecipe, Equatable {
  enum Kind: String, Codable, Sendable { case first, second }
  var widthMax = 512
  var batchSizes = [4, 8]
  var kind = Kind.first
  var isOn = true
  var inner = InnerRecipe()

  static let keys = [
    RecipeKey("width_max", "", source: ""), RecipeKey("batch_sizes", "", source: ""),
    RecipeKey("kind", "", source: ""), RecipeKey("is_on", "", source: ""),
    RecipeKey("inner.rate", "", source: ""), RecipeKey("inner.count", "", source: ""),
  ]
}

@Test func defaultsAreThePapers() throws {
  #expect(try OuterRecipe.resolved() == OuterRecipe())
}

@Test(arguments: [
  ("width_max=128", OuterRecipe(widthMax: 128)), ("batch_sizes=[1, 2]", OuterRecipe(batchSizes: [1, 2])),
  ("kind=second", OuterRecipe(kind: .second)), ("is_on=false", OuterRecipe(isOn: false)),
  ("inner.rate=0.25", OuterRecipe(inner: InnerRecipe(rate: 0.25))),
  ("inner.rate=1e-3", OuterRecipe(inner: InnerRecipe(rate: 0.001))),
  ("width_max= 8", OuterRecipe(widthMax: 8)),
  ("inner.count=3", OuterRecipe(inner: InnerRecipe(count: 3))), ("inner.count=null", OuterRecipe()),
])
private func settingsAreAccepted(setting: String, expected: OuterRecipe) throws {
  #expect(try OuterRecipe.resolved(settings: [setting]) == expected)
}

@Test(arguments: [
  ("wdith_max=1", "did you mean 'width_max'?"), ("inner.rat=1", "did you mean 'inner.rate'?"),
  ("nonsense=1", "Known: batch_sizes"),
  ("width_max=wide", "'width_max': found 'wide', expected a whole number"), ("kind=third", "kind"),
  ("inner=1", "group of keys"), ("width_max", "expected key=value"), ("=5", "expected key=value"),
  ("inner..rate=1", "expected key=value"), ("inne.rate=1", "did you mean 'inner.rate'?"),
  ("rate=1", "did you mean 'inner.rate'?"), ("batch_sizes=[1", "is not YAML"), ("width_max=", "width_max"),
  ("width_max=null", "found null, expected a whole number"), ("width_max=1.5", "width_max"),
  ("width_max=[1]", "width_max"),
  ("width_max.x=1", "width_max"), ("batch_sizes=8", "found '8', expected a list"),
  ("batch_sizes=[a]", "found 'a', expected a whole number"),
  ("is_on=2", "found '2', expected true or false"),
  ("inner.rate=fast", "'inner.rate': found 'fast', expected a number"),
])
func settingsAreRefused(setting: String, explanation: String) {
  let error = #expect(throws: RecipeError.self) { try OuterRecipe.resolved(settings: [setting]) }
  #expect(error?.description.contains(explanation) == true, "\(error?.description ?? "no error")")
  #expect(error?.description.contains("\n") == false)
}

@Test func filesComeBeforeSettings() throws {
  let yaml = "width_max: 64\ninner:\n  count: 7\n"
  let recipe = try OuterRecipe.resolved(yaml: yaml, settings: ["width_max=32"])
  #expect(recipe == OuterRecipe(widthMax: 32, inner: InnerRecipe(count: 7)))
}

@Test(arguments: ["", "# nothing but words", "inner: {}", "width_max: 512"])
func filesThatChangeNothing(yaml: String) throws {
  #expect(try OuterRecipe.resolved(yaml: yaml) == OuterRecipe())
}

@Test(arguments: [
  ("- width_max", "key: value"), ("just words", "key: value"), ("4: 5", "unknown recipe key '4'"),
  ("width_max: [", "is not YAML"), ("width_mx: 4", "did you mean 'width_max'?"),
  ("inner:\n  rat: 4", "did you mean 'inner.rate'?"), ("inner: 3", "group of keys"),
  ("width_max: many", "width_max"),
  ("[width_max]: 4", "a list or a group where a key should be"),
  ("inner:\n  ? {a: 1}\n  : 2", "where a key should be"),
  ("width_max: {a_b: 1, aB: 2}", "width_max"), ("width_max: \"\\x1b[31m\\n4\"", "found ' [31m 4'"),
  (
    "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"
      + "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d]",
    "more than 10000 values"
  ),
])
func filesAreRefused(yaml: String, explanation: String) {
  let error = #expect(throws: RecipeError.self) { try OuterRecipe.resolved(yaml: yaml) }
  #expect(error?.description.contains(explanation) == true, "\(error?.description ?? "no error")")
  #expect(error?.description.contains("\n") == false)
}

@Test func writtenRecipesReadBack() throws {
  let recipe = OuterRecipe(widthMax: 3, kind: .second, isOn: false, inner: InnerRecipe(rate: 1e-5))
  #expect(try OuterRecipe.resolved(yaml: recipe.yaml) == recipe)
  #expect(try recipe.yaml.contains("count: null"))
  #expect(try OuterRecipe().yaml.contains("rate: 0.5\n"))
}

@Test func valuesAsText() {
  #expect(OuterRecipe().text(of: "inner.rate") == "0.5")
  #expect(OuterRecipe().text(of: "inner.count") == "null")
}
