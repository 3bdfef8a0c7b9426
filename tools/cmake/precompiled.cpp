// Holds nothing: the headers that stele_precompile() reads once need a target to belong to.
