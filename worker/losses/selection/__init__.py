"""Which of a batch's valid tuples are trained on, where not all are.

D is the quantity a loss compares: for triplets the squared Euclidean distance, for pairs the
Euclidean one, for both 1 - cos with the cosine distance; m is the margin. An anchor compared with
others of another modality has its positives and negatives among these; a pair is then an anchor
with an other.

sampled
    Triplets: one for each anchor that has a positive and a negative, both drawn uniformly.
    Pairs: all positive ones, and as many negative ones, drawn uniformly without replacement (all,
    if there are fewer).
semi_hard (Schroff, Kalenichenko & Philbin 2015)
    Triplets: all with D_ap < D_an < D_ap + m.
    Pairs: all positive ones, and the negative ones for which that holds with one of the two members
    as the anchor (between modalities: the anchor) and at least one of its positives.
batch_hard (Hermans, Beyer & Leibe 2017)
    Triplets: for each anchor its farthest positive with its nearest negative.
    Pairs: for each anchor its farthest positive and its nearest negative.
    Of several as far or as near, the one of the lowest index.
distance_weighted (Wu, Manmatha, Smola & Krahenbuhl 2017; see `distance_weights`)
    Triplets: for each anchor and positive one negative, drawn by its distance.
    Pairs: all positive ones, and for each anchor as many negatives as it has positives, drawn by
    their distance without replacement (all, if there are fewer).

A pair that both of its members pick is trained on once. Numbers are drawn on the CPU, so that a
generator's state decides the tuples whatever the device (up to distances' rounding).
"""
