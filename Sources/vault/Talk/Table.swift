/// Text in columns, for people.
struct Table {
    /// How a cell is shown where colours are wanted.
    enum Style: String {
        case plain = ""
        case heading = "1"
        case warning = "33"
        case alarm = "31"
    }

    private var rows: [[(text: String, style: Style)]] = []
    private var widths: [Int] = []

    init(_ titles: [String]) {
        append(titles.map { ($0, .heading) })
    }

    mutating func append(_ cells: [(text: String, style: Style)]) {
        for (column, cell) in cells.enumerated() {
            let width = cell.text.utf8.count
            if column < widths.count { widths[column] = max(widths[column], width) } else { widths.append(width) }
        }
        rows.append(cells)
    }

    /// Writes all rows to standard output.
    func print() throws {
        let isColoured = Output.isColoured
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                let isStyled = isColoured && cell.style != .plain
                if isStyled { text += "\u{1b}[\(cell.style.rawValue)m" }
                text += cell.text
                if isStyled { text += "\u{1b}[0m" }
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - cell.text.utf8.count + 2)
                }
            }
            text += "\n"
            if text.utf8.count > 60_000 {
                try Output.write(text)
                text = ""
            }
        }
        try Output.write(text)
    }
}
