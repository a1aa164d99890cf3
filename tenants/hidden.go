package tenants

// Hidden is a value of a setting that stands in a file of its own, so that neither the
// definitions nor what wikictl prints have it, written { secret = "smtp" }.
type Hidden struct {
	Name string
	Read func() (string, error) // the value; the error tells the file
}

// String hides the value, however it is printed.
func (h *Hidden) String() string { return `{ secret = "` + h.Name + `" }` }

// Known is the value, or empty where it can't be read.
func (h *Hidden) Known() string {
	text, err := h.Read()
	if err != nil {
		return ""
	}
	return text
}
