package format

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docker/go-units"
)

// ShortID is the first twelve digits of an id, without the algorithm of a digest.
func ShortID(id string) string {
	if _, hex, ok := strings.Cut(id, ":"); ok {
		id = hex
	}
	if len(id) > 12 {
		id = id[:12]
	}
	return id
}

// Ellipsis shortens s to n characters.
func Ellipsis(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// Size is a size with three digits: 4.27MB.
func Size(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// Ago is the time since t in words.
func Ago(t time.Time) string {
	return units.HumanDuration(time.Now().UTC().Sub(t)) + " ago"
}

// Labels are key=value pairs in order, with commas.
func Labels(m map[string]string) string {
	return strings.Join(SortedPairs(m), ",")
}
