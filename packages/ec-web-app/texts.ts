/** What the storefront says about its business; the law wants each of these on the page where one orders. */
export const texts = {
  payment: "銀行振込(前払い)。お振込先はご注文の確認メールでお知らせします。振込手数料はお客様のご負担です。",
  delivery: "ご入金を確認してから3営業日以内に発送します。",
  withdrawal:
    "お支払い前のご注文は、期限までにお振込みがなければ自動で取り消されます。お届けした商品に説明と違う点や不具合があるときは、到着後8日以内にご連絡ください。送料当店負担で返品・返金をお受けします。お客様のご都合による返品はお受けできません。",
  period: "販売期間の定めはありません。在庫がなくなりしだい終了します。",
} as const;

export const states = {
  awaiting_payment: "入金待ち",
  paid: "支払済",
  short: "在庫不足",
  picking: "出荷準備中",
  shipped: "出荷済",
  completed: "完了",
  expired: "期限切れ",
  cancelling: "取消処理中",
  cancelled: "取消済",
} as const;

export const prefectures =
  "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県".split(
    " ",
  );
