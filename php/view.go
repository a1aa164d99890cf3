package php

import _ "embed"

//go:embed view.php
var viewSettings []byte

// ViewSettings returns the settings file for requests that may read a private wiki's pages. It
// loads the file that the parameter WIKICTL_SETTINGS of a FastCGI request names.
func ViewSettings() []byte { return viewSettings }
