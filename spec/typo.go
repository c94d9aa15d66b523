package spec

// similar returns the independent mount option that a word was probably meant to be, or "". Two edits apart is
// the limit, and only one for a short word: "rw" is two edits from nearly everything.
func similar(word string) string {
	limit := 2
	if len(word) < 5 {
		limit = 1
	}
	return nearest(word, limit)
}

// misspelt says whether a word can hardly be an option of some file system that we do not know: it is long and a
// single edit away from an independent option.
func misspelt(word string) bool {
	_, real := find(lookalikes[:], word)
	return !real && len(word) >= 5 && nearest(word, 1) != ""
}

// lookalikes are real options that are one edit away from an independent one.
var lookalikes = [...]entry[string]{
	{"i_version", "ext4"},
	{"nouuid", "xfs"},
	{"share", "ceph"},
	{"wsync", "xfs and ceph"},
}

func nearest(word string, limit int) string {
	best := ""
	for i := range mountOptions {
		name := mountOptions[i].name
		if d := distance(word, name, limit); d <= limit {
			best, limit = name, d-1
		}
	}
	return best
}

// distance counts the single-byte edits (insertions, deletions, substitutions, swaps of neighbours) that turn a
// into b; what it returns above the limit only means "above the limit".
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(b) > 31 {
		return limit + 1
	}
	var rows [3][32]int // rows before last, last, this
	for j := range len(b) + 1 {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		rows[2][0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[1][j]+1, rows[2][j-1]+1, rows[1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[0][j-2]+1)
			}
			rows[2][j] = d
		}
		rows[0], rows[1] = rows[1], rows[2]
	}
	return rows[1][len(b)]
}
