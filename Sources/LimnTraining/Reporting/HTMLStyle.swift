// How reports look: one style sheet, light and dark, screen, phone and paper.

/// The style sheet of ``HTMLReport``.
enum HTMLStyle {
  static let sheet = colours + text + blocks + charts + media

  /// Series colours keep a contrast of at least 3:1 with the card they are drawn on, in both schemes.
  private static let colours = """
    :root {
      color-scheme: light dark;
      --paper: #f7f6f3; --card: #ffffff; --ink: #1b1d21; --quiet: #5c616b; --rule: #e3e0d9;
      --link: #1f5fa8; --shade: 0 1px 2px #0000000a;
      --s0: #2466b8; --s1: #c4540a; --s2: #12806f; --s3: #8146b4; --s4: #b82f5c; --s5: #77701a;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #131417; --card: #1b1d21; --ink: #e8e6e1; --quiet: #a0a4ad; --rule: #2f3238;
        --link: #8ab8f2; --shade: none;
        --s0: #78aef5; --s1: #f09a57; --s2: #4bc4ac; --s3: #bd97f0; --s4: #f2819f; --s5: #c9c05a;
      }
    }
    .s0 { --c: var(--s0) } .s1 { --c: var(--s1) } .s2 { --c: var(--s2) }
    .s3 { --c: var(--s3) } .s4 { --c: var(--s4) } .s5 { --c: var(--s5) }

    """

  private static let text = """
    * { box-sizing: border-box; }
    dl, dd, figure, ul { margin: 0; padding: 0; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 1rem/1.6 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
      font-feature-settings: "cv11", "ss03"; text-rendering: optimizeLegibility;
    }
    header, main { max-width: 70rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
    header { padding-top: clamp(2rem, 6vw, 4rem); }
    h1 { margin: 0; font-size: clamp(1.7rem, 4.5vw, 2.5rem); font-weight: 650; line-height: 1.15;
      letter-spacing: -.022em; text-wrap: balance; overflow-wrap: anywhere; }
    .subtitle { margin: .6rem 0 0; color: var(--quiet); font-size: 1.05rem; }
    nav { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin-top: 1.5rem; font-size: .9rem; }
    a { color: var(--link); text-decoration: none; border-radius: 2px; }
    a:hover { text-decoration: underline; text-underline-offset: .2em; }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 3px; }
    main { padding-bottom: 5rem; }
    section { margin-top: 2.75rem; }
    section > * + * { margin-top: 1.25rem; }
    section > h2 + p { margin-top: .4rem; }
    section > h2 + .facts { margin-top: .6rem; }
    h2 { margin: 0; font-size: 1.2rem; font-weight: 620; letter-spacing: -.01em; line-height: 1.3; }
    p { margin: 0; max-width: 44rem; text-wrap: pretty; }
    small { color: var(--quiet); font-size: .85em; font-weight: 400; }

    """

  private static let blocks = """
    dt { color: var(--quiet); font-size: .85rem; }
    .highlights { display: grid; gap: 1px; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
      background: var(--card); border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; }
    .highlights > div { padding: .9rem 1.1rem 1rem; box-shadow: 0 0 0 1px var(--rule); }
    .highlights dd { font-size: 1.6rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.25;
      font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .highlights small { display: block; font-size: .8rem; letter-spacing: 0; line-height: 1.4; }
    .facts { display: grid; column-gap: 3rem;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
    .facts > div { display: grid; grid-template-columns: 8rem 1fr; align-items: baseline; padding: .45rem 0;
      border-bottom: 1px solid var(--rule); }
    .facts dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    .table { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
    table { width: 100%; border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
    caption { padding: .9rem 1rem .4rem; text-align: left; color: var(--quiet); font-size: .9rem; }
    th, td { padding: .5rem 1rem; text-align: left; vertical-align: baseline; }
    th { color: var(--quiet); font-size: .82rem; font-weight: 550; white-space: nowrap; }
    td { border-top: 1px solid var(--rule); }
    .number { text-align: right; white-space: nowrap; }
    .figures { display: grid; gap: 1.25rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
    figure img { display: block; width: 100%; height: auto; border-radius: 8px; background: #000; }
    figure img.pixelated { image-rendering: pixelated; }
    section > figure:not(.chart) { width: fit-content; max-width: 100%; }
    section > figure img { width: auto; max-width: 100%; min-width: min(100%, 32rem); }
    figcaption { margin-top: .55rem; color: var(--quiet); font-size: .88rem; line-height: 1.45; }
    .strip { display: flex; gap: .75rem; overflow-x: auto; padding-bottom: .75rem;
      scroll-snap-type: x proximity; }
    .strip figure { flex: 0 0 clamp(8rem, 22vw, 12rem); scroll-snap-align: start; }
    .strip img { border-radius: 6px; }
    .strip figcaption { margin-top: .35rem; font-size: .8rem; font-variant-numeric: tabular-nums; }
    .warnings { list-style: none; padding: .7rem 1.1rem; background: var(--card);
      border: 1px solid var(--rule); border-left: 4px solid var(--s1); border-radius: 6px; font-size: .92rem; }
    .warnings li + li { margin-top: .35rem; }
    details { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
    summary { padding: .75rem 1.1rem; cursor: pointer; font-weight: 550; }
    pre { margin: 0; padding: 1rem 1.1rem; border-top: 1px solid var(--rule); overflow-x: auto; tab-size: 2;
      font: .83rem/1.6 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }

    """

  private static let charts = """
    .charts { display: grid; gap: 1.25rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); }
    .chart { padding: 1rem 1.1rem .8rem; background: var(--card); border: 1px solid var(--rule);
      border-radius: 10px; box-shadow: var(--shade); min-width: 0; }
    .chart figcaption { margin: 0; color: var(--ink); font-size: .95rem; font-weight: 600; }
    .legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .3rem 0 .9rem; list-style: none;
      color: var(--quiet); font-size: .84rem; }
    .legend li::before { content: ""; display: inline-block; width: .95em; height: .22em; margin-right: .45em;
      vertical-align: .25em; border-radius: 2px; background: var(--c); }
    .legend b { color: var(--ink); font-weight: 550; font-variant-numeric: tabular-nums; }
    .plot { display: grid; grid-template-columns: 2.9rem 1fr; grid-template-rows: 13rem 1.5rem;
      padding: .4rem .6rem 0 0; }
    .plot svg { width: 100%; height: 100%; overflow: visible; }
    .y, .x { position: relative; color: var(--quiet); font-size: .75rem; font-variant-numeric: tabular-nums; }
    .y span { position: absolute; right: .65rem; transform: translateY(-50%); line-height: 1;
      white-space: nowrap; }
    .x { grid-column: 2; }
    .x span { position: absolute; top: .5rem; transform: translateX(-50%); line-height: 1;
      white-space: nowrap; }
    .axis { margin: .15rem .6rem 0 2.9rem; color: var(--quiet); font-size: .75rem; text-align: center; }
    .chart path { fill: none; vector-effect: non-scaling-stroke; }
    .chart .grid { stroke: var(--rule); stroke-width: 1; }
    .chart .line { stroke: var(--c); stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
    .chart .band { fill: var(--c); fill-opacity: .14; }
    .chart .dot { stroke: var(--c); stroke-width: 7; stroke-linecap: round; }
    .chart .guide { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 3 3; }
    .hit rect { fill: transparent; }
    .hit path { opacity: 0; pointer-events: none; }
    .hit:hover path { opacity: 1; }

    """

  private static let media = """
    @media (max-width: 34rem) {
      .highlights { grid-template-columns: 1fr 1fr; }
      .highlights dd { font-size: 1.3rem; }
      th, td { padding: .5rem .65rem; }
      .facts > div { grid-template-columns: 6.5rem 1fr; }
      .plot { grid-template-rows: 11rem 1.5rem; }
    }
    @media print {
      :root { --paper: #fff; --shade: none; }
      body { font-size: 10pt; }
      nav { display: none; }
      header { padding-top: 0; }
      figure, .highlights, tr { break-inside: avoid; }
      h2 { break-after: avoid; }
      .strip { flex-wrap: wrap; overflow: visible; }
    }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    """
}
