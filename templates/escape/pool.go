package escape

// FPM writes a value of a php-fpm pool. Its parser (PHP's for ini files) expands
// ${…} and has no escape for a quote.
func FPM(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil || plain(s) {
		return s, err
	}
	return `"` + s + `"`, refuse(s, at, "$\"\\", "php-fpm")
}
